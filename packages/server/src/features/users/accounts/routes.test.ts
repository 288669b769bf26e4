import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readWebRequest, type JsonObject } from 'keystile/internal'
import * as z from 'zod'
import type { RouteRequest } from '../../../http/route.ts'
import {
  createPasswordPolicy,
  type PasswordPolicy,
} from '../../credentials/password-policy/policy.ts'
import type { PreparedRequest } from '../../mail/proofs/proofs.ts'
import { noLimits, type Limits } from '../../operations/limits/limits.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import { parseUsername } from '../directory/names.ts'
import { findPasswordErrors, findUndeclared } from './account-fields.ts'
import type { AccountCaller, AccountParts } from './account-route.ts'
import { createAppUsers, type AppUsersParts } from './create-app-users.ts'
import { accountRates } from './feature.ts'
import { getAccountFields } from './new-account-body.ts'
import {
  accountRoutes,
  changePasswordRoute,
  changeProfileRoute,
  readAccountRoute,
} from './own-account.ts'
import type { ProfileSchema } from './profile.ts'
import { verifyCounted } from './prove-password.ts'
import { outdated, taken } from './refusals.ts'
import { createRegistrationForm, type RegistrationFormParts } from './registration-form.ts'
import { createRegistration, type RegistrationParts } from './registration.ts'
import type { NewUser, User } from './user.ts'

interface Documented {
  readonly properties: Readonly<
    Record<
      string,
      { readonly type?: string; readonly minLength?: number; readonly maxLength?: number }
    >
  >
  readonly required: readonly string[]
}

const policyOf = (minLength: number): PasswordPolicy =>
  createPasswordPolicy({ minLength, issuer: 'http://localhost' })

/**
 * Returns the documented body fields of a route. No handler runs, so the route needs no services.
 */
function bodyOf(method: string, path: string, minLength = 15): Documented['properties'] {
  const nothing = {} as unknown as Parameters<typeof accountRoutes>[0] & RegistrationParts
  const parts = { ...nothing, passwordPolicy: policyOf(minLength), profile: undefined }
  const register = createRegistration({
    ...parts,
    issuer: 'http://localhost',
    registration: 'open',
    verification: undefined,
  })
  const route = [register.route, ...accountRoutes(parts)].find(
    (candidate) => candidate.method === method && candidate.path === path,
  )
  return (route!.doc.body!.schema as unknown as Documented).properties
}

/** Creates limits that record which uses are counted and refunded. */
function recordUses(): {
  readonly limits: Limits
  readonly counted: Use[]
  readonly refunded: Use[]
} {
  const [counted, refunded]: [Use[], Use[]] = [[], []]
  const limits: Limits = {
    ...noLimits,
    usesAt: (rate, address) => [useOf(rate, `${address}`)],
    count: async (uses) => (counted.push(...uses), { uses, at: 0 }),
    refund: async ({ uses }) => void refunded.push(...uses),
  }
  return { limits, counted, refunded }
}

describe('accountRoutes', () => {
  it('accountRoutes documents the configured minimum and maximum length of passwords', () => {
    for (const configured of [8, 15, 64]) {
      for (const { minLength, maxLength } of [
        bodyOf('POST', '/users', configured)['password']!,
        bodyOf('POST', '/users/me/password', configured)['new_password']!,
      ]) {
        const text = Array.from({ length: 300 }, (_, i) => `word ${i} `).join('')
        const isTaken = [minLength! - 1, minLength!, maxLength!, maxLength! + 1].map(
          (length) => policyOf(configured).findFault(text.slice(0, length), {}) === undefined,
        )
        assert.deepEqual(isTaken, [false, true, true, false])
      }
    }
  })

  it('accountRoutes documents the minimum and maximum length of user names', () => {
    const { minLength, maxLength } = bodyOf('POST', '/users')['username']!
    const isTaken = [minLength! - 1, minLength!, maxLength!, maxLength! + 1].map(
      (length) => parseUsername('x'.repeat(length)) !== undefined,
    )
    assert.deepEqual(isTaken, [false, true, true, false])
  })

  it('accountRoutes documents the form of a name, an e-mail address and a password', () => {
    const password = { type: 'string', format: 'password' }
    const example = 'four kites over a quiet harbour'
    const newPassword = { ...password, minLength: 15, maxLength: 1_024, example }
    assert.deepEqual(bodyOf('POST', '/users'), {
      username: {
        type: 'string',
        minLength: 2,
        maxLength: 63,
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
        example: 'ada',
      },
      email: {
        type: 'string',
        format: 'email',
        pattern: '^(?![-|/])(?!.*=[?])',
        example: 'ada@example.com',
      },
      password: newPassword,
    })
    assert.deepEqual(bodyOf('POST', '/users/me/password'), {
      current_password: password,
      new_password: newPassword,
    })
  })

  it('PATCH /users/me returns 409 if the user changes or is deleted meanwhile', async () => {
    const user = { publicUser: { id: 'x' } }
    for (const users of [
      { replaceProfile: async () => 'changed', readBySubject: async () => undefined },
      { replaceProfile: async () => 'outdated', readBySubject: async () => user },
    ]) {
      const { limits, counted } = recordUses()
      const parts = { users, limits, profile: undefined } as unknown as AccountParts
      const request = new Request('http://localhost/users/me', {
        method: 'PATCH',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      })
      const caller = { identity: { sessionId: 's' }, user } as unknown as AccountCaller
      await assert.rejects(
        async () =>
          changeProfileRoute(parts).handle({ ...readWebRequest(request), params: {} }, caller),
        { code: 'conflict' },
      )
      assert.deepEqual(counted, [useOf(accountRates.profile, 'x')])
    }
  })

  it('requests that share a user in memory share the answer of GET /users/me', () => {
    const route = readAccountRoute({
      scopes: { declared: {}, defaults: [], roles: {} },
      profile: undefined,
    } as unknown as AccountParts)
    const user = { publicUser: { id: 'x', createdAt: new Date(0) }, scopes: [], roles: [] }
    const read = (): unknown =>
      route.handle({} as RouteRequest, { user } as unknown as AccountCaller)
    assert.equal(read(), read())
  })
})

describe('verifyCounted', () => {
  it('verifyCounted counts a wrong password, but neither a right one nor a failure', async () => {
    const use = useOf(accountRates.proof, 's')
    const failure = new Error('the queue is full')
    for (const [verified, refunded] of [
      [Promise.resolve(true), [use]],
      [Promise.resolve(false), []],
      [Promise.reject(failure), [use]],
    ] as const) {
      const uses = recordUses()
      const passwords = { verify: () => verified }
      const parts = { passwords, limits: uses.limits } as unknown as AccountParts
      const wanted = { hash: 'hash', use, address: undefined }
      const result = await verifyCounted('x', wanted, parts).catch((error: unknown) => error)
      assert.equal(result, await verified.catch(() => failure))
      assert.deepEqual([uses.counted, uses.refunded], [[use], refunded])
    }
  })
})

describe('a registration', () => {
  const parts = {
    passwords: { hash: async () => 'hash' },
    passwordPolicy: policyOf(15),
    limits: noLimits,
    registration: 'open',
    profile: undefined,
  } as unknown as RegistrationFormParts
  const request = (password: string): RouteRequest => ({
    ...readWebRequest(
      new Request('http://localhost/users', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'countess', email: 'lovelace@example.com', password }),
      }),
    ),
    remoteAddress: '192.0.2.1',
    params: {},
  })

  it('the schema of a registration demands its own fields and those of the profile', () => {
    const own = ['username', 'email', 'password']
    const schemaOf = (profile: ProfileSchema): JsonObject =>
      createRegistrationForm({ ...parts, profile }).schema
    const city = z.object({ city: z.string() })
    assert.deepEqual(schemaOf(city)['required'], ['city', ...own])
    const either = schemaOf(z.union([city, z.object({})]))
    assert.deepEqual([either['type'], either['required']], ['object', own])
  })

  it('a registration counts for its IP address and for the whole server', async () => {
    const atAddress = useOf(accountRates.registration, '192.0.2.1')
    const user = { publicUser: { id: 'x', createdAt: new Date(0) } } as unknown as User
    const sent = (_to: unknown, language: string): PreparedRequest => {
      assert.equal(language, '')
      return { requestId: 'r' } as PreparedRequest
    }
    for (const [verification, requestId] of [
      [undefined, undefined],
      [sent, 'r'],
    ] as const) {
      const { limits, counted } = recordUses()
      const users = {
        create: async ({ scopes, roles }: NewUser) => {
          assert.deepEqual([scopes, roles], [[], []])
          return { user }
        },
      }
      const own = { limits, users, verification, issuer: 'http://localhost' }
      const { route } = createRegistration({ ...parts, ...own } as unknown as RegistrationParts)
      const { body, headers } = await route.handle(request('an engine of her own'))
      assert.equal(new Headers(headers).get('location'), 'http://localhost/users/x')
      assert.deepEqual(counted, [atAddress, useOf(accountRates.server, '')])
      assert.equal(JSON.parse(String(body))['verification_request_id'], requestId)
      const { required, properties } = route.doc.success.schema as unknown as Documented
      const type = requestId === undefined ? undefined : 'string'
      assert.equal(properties['verification_request_id']?.type, type)
      assert.equal(required.includes('verification_request_id'), requestId !== undefined)
      assert.ok(properties['username'])
    }
  })

  it('a registration is refused if its password contains the name or the address', async () => {
    for (const name of ['countess', 'lovelace'])
      await assert.rejects(createRegistrationForm(parts).read(request(`the password of ${name}`)), {
        message: /^password: Password should not contain your (?:username|e-mail address)/,
      })
  })
})

describe('the errors of account fields', () => {
  const fault = (field: string, msg: string): object => ({
    loc: ['body', field],
    msg,
    type: msg.startsWith('Password') ? 'password_too_short' : 'value_error',
  })

  it('the error of a wrong field names the field and says what is expected', async () => {
    assert.deepEqual(findPasswordErrors('new_password', 'short', {}, policyOf(15)), [
      fault('new_password', 'Password should have at least 15 characters'),
    ])
    assert.deepEqual(findPasswordErrors('new_password', 1, {}, policyOf(15)), [])

    const rules = { declared: { a: 'A', b: 'B' }, defaults: [], roles: { admin: ['a'] } }
    assert.deepEqual(findUndeclared({ scopes: ['a'], roles: ['admin'] }, rules), [])
    assert.deepEqual(findUndeclared({ scopes: ['a', 'admin'], roles: ['toString'] }, rules), [
      fault('scopes', 'Input should only have names from this list: a, b'),
      fault('roles', 'Input should only have names from this list: admin'),
    ])

    const msg = 'This email is already taken'
    const { code, message, errors } = taken('email', 'new_email')
    assert.deepEqual(
      { code, message, errors },
      { code: 'conflict', message: msg, errors: [fault('new_email', msg)] },
    )
    assert.equal(outdated().code, 'conflict')
  })

  it('POST /users/me/password names the password that is wrong', async () => {
    const user = { passwordHash: 'hash', publicUser: { id: 'x' } }
    const route = changePasswordRoute({
      passwords: { verify: async () => false },
      passwordPolicy: policyOf(15),
      audit: { record: async () => {} },
      limits: noLimits,
    } as unknown as AccountParts)
    for (const [new_password, field, msg] of [
      ['short', 'new_password', 'Password should have at least 15 characters'],
      ['an engine of her own', 'current_password', 'The current password is wrong'],
    ] as const) {
      const sent = new Request('http://localhost/users/me/password', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ current_password: 'wrong', new_password }),
      })
      const caller = { identity: { sessionId: 's' }, user } as unknown as AccountCaller
      await assert.rejects(
        async () => route.handle({ ...readWebRequest(sent), params: {} }, caller),
        { errors: [fault(field, msg)] },
      )
    }
  })

  it('keystile.users names the field that is wrong, and reports a change meanwhile', async () => {
    const user = { passwordHash: 'hash', publicUser: { id: 'x' } }
    const users = createAppUsers({
      users: { readBySubject: async () => user, change: async () => 'outdated' },
      passwordPolicy: policyOf(15),
      scopes: { declared: {}, defaults: [], roles: {} },
    } as unknown as AppUsersParts)
    const password = 'an engine of her own'
    await assert.rejects(users.create({ username: 'ada', emailVerified: true, password }), {
      message: 'email: Field required if emailVerified is true',
    })
    const short = 'Password should have at least 15 characters'
    await assert.rejects(users.create({ username: 'ada', password: 'short' }), {
      errors: [fault('password', short)],
    })
    await assert.rejects(users.setPassword('x', 'short'), { errors: [fault('password', short)] })
    await assert.rejects(users.disable('x'), { code: 'conflict' })
  })

  it('getAccountFields checks a field with its own schema or the profile schema', async () => {
    const own = z.object({ name: z.string() })
    const profile = z.object({ city: z.string() })
    assert.deepEqual(await getAccountFields(own, { name: 'Ada', city: 'London' }, profile), {
      fields: { name: 'Ada' },
      profile: { city: 'London' },
    })
    await assert.rejects(getAccountFields(own, { name: 1, city: 1 }, profile), /name: .*city: /)
  })
})
