import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as z from 'zod'
import { readWebRequest, type HttpRequestWithBody, type JsonObject } from 'keystile/internal'
import { describeFields } from '../../http/json-body.ts'
import type { GuardedRoute } from '../../http/route.ts'
import { noLimits } from '../limits/limits.ts'
import { useOf, type Use } from '../limits/uses.ts'
import { createPasswordPolicy, type PasswordPolicy } from '../password-policy/policy.ts'
import { parseUsername } from '../directory/names.ts'
import { findPasswordErrors, findUndeclared, getAccountFields } from './account-fields.ts'
import { registrationMailRate, registrationRate } from './feature.ts'
import type { ProfileSchema } from './profile.ts'
import { presentedOf, proofFields, requestIdSchema } from './proof-fields.ts'
import { outdated, taken, type AccountCaller } from './route-parts.ts'
import { registerRoute } from './registration.ts'
import { createRegistrationForm, type RegistrationForm } from './registration-form.ts'
import { accountRoutes } from './routes.ts'

interface Documented {
  readonly properties: Readonly<
    Record<string, { readonly minLength?: number; readonly maxLength?: number }>
  >
}

const policyOf = (minLength: number): PasswordPolicy =>
  createPasswordPolicy({ minLength, issuer: 'http://localhost' })

/**
 * Returns the documented body fields of a route. No handler runs, so the route needs no services.
 */
function bodyOf(method: string, path: string, minLength = 15): Documented['properties'] {
  const nothing = {} as unknown as Parameters<typeof accountRoutes>[0] &
    Parameters<typeof registerRoute>[0]
  const parts = { ...nothing, passwordPolicy: policyOf(minLength), profile: undefined }
  const register = registerRoute({
    ...parts,
    issuer: 'http://localhost',
    registration: 'open',
    verification: undefined,
  })
  const route = [register, ...accountRoutes(parts)].find(
    (candidate) => candidate.method === method && candidate.path === path,
  )
  return (route!.doc.body!.schema as unknown as Documented).properties
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
    const newPassword = { ...password, minLength: 15, maxLength: 1_024 }
    assert.deepEqual(bodyOf('POST', '/users'), {
      username: {
        type: 'string',
        minLength: 2,
        maxLength: 63,
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
        example: 'ada',
      },
      email: { type: 'string', format: 'email', example: 'ada@example.com' },
      password: newPassword,
    })
    assert.deepEqual(bodyOf('POST', '/users/me/password'), {
      current_password: password,
      new_password: newPassword,
    })
  })

  it('PATCH /users/me returns 409 if the user is deleted at the same time', async () => {
    const gone = {
      replaceProfile: async () => 'changed',
      readBySubject: async () => undefined,
    } as unknown as Parameters<typeof accountRoutes>[0]['users']
    const nothing = {} as unknown as Parameters<typeof accountRoutes>[0]
    const options = {
      ...nothing,
      issuer: 'http://localhost',
      passwordPolicy: policyOf(15),
      registration: 'open',
      profile: undefined,
      users: gone,
      limits: noLimits,
    } as const
    const route = accountRoutes(options).find(
      (candidate): candidate is GuardedRoute<AccountCaller> =>
        candidate.guard !== undefined && candidate.method === 'PATCH',
    )
    const headers = { 'content-type': 'application/json' }
    const request = new Request('http://localhost/users/me', {
      method: 'PATCH',
      body: '{}',
      headers,
    })
    const caller = {
      identity: { sessionId: 's' },
      user: { publicUser: { id: 'x' } },
    } as unknown as AccountCaller
    await assert.rejects(
      async () => route!.handle({ ...readWebRequest(request), params: {} }, caller),
      {
        code: 'conflict',
      },
    )
  })
})

describe('createRegistrationForm', () => {
  const formWith = (
    profile: ProfileSchema | undefined,
    counted: Use[] = [],
    sendsMail = true,
  ): RegistrationForm =>
    createRegistrationForm({
      passwords: { hash: async () => 'hash' },
      passwordPolicy: policyOf(15),
      limits: {
        ...noLimits,
        usesAt: (rate, address) => [useOf(rate, `${address}`)],
        count: async (uses) => (counted.push(...uses), { uses, at: 0 }),
      },
      registration: 'open',
      profile,
      sendsMail,
    })
  const request = (password: string): HttpRequestWithBody => ({
    ...readWebRequest(
      new Request('http://localhost/users', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'countess', email: 'lovelace@example.com', password }),
      }),
    ),
    remoteAddress: '192.0.2.1',
  })

  it('the schema of a registration demands its own fields and those of the profile', () => {
    const own = ['username', 'email', 'password']
    const schemaOf = (profile: ProfileSchema): JsonObject => formWith(profile).schema
    const city = z.object({ city: z.string() })
    assert.deepEqual(schemaOf(city)['required'], ['city', ...own])
    const either = schemaOf(z.union([city, z.object({})]))
    assert.deepEqual([either['type'], either['required']], ['object', own])
  })

  it('a registration counts for its IP address, and for all mails if it sends one', async () => {
    const atAddress = useOf(registrationRate, '192.0.2.1')
    const password = 'an engine of her own'
    for (const [sendsMail, expected] of [
      [false, [atAddress]],
      [true, [atAddress, useOf(registrationMailRate, '')]],
    ] as const) {
      const counted: Use[] = []
      await formWith(undefined, counted, sendsMail).read(request(password))
      assert.deepEqual(counted, expected)
    }
  })

  it('a registration is refused if its password contains the name or the address', async () => {
    for (const name of ['countess', 'lovelace'])
      await assert.rejects(formWith(undefined).read(request(`the password of ${name}`)), {
        message: /^password: Password should not contain your (?:username|e-mail address)/,
      })
  })
})

describe('the errors of account fields', () => {
  const fault = (field: string, msg: string): object => ({
    loc: ['body', field],
    msg,
    type: 'value_error',
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

  it('getAccountFields checks a field with its own schema or the profile schema', async () => {
    const own = z.object({ name: z.string() })
    const profile = z.object({ city: z.string() })
    assert.deepEqual(await getAccountFields(own, { name: 'Ada', city: 'London' }, profile), {
      fields: { name: 'Ada' },
      profile: { city: 'London' },
    })
    await assert.rejects(getAccountFields(own, { name: 1, city: 1 }, profile), /name: .*city: /)
  })

  it('a body confirms a mail with a token, or with a code and its request id', () => {
    assert.deepEqual(presentedOf({ token: 'a' }), { token: 'a' })
    assert.deepEqual(presentedOf({ request_id: 'a', code: 'b' }), { requestId: 'a', code: 'b' })
    for (const wrong of [
      {},
      { token: 'a', request_id: 'b' },
      { token: 'a', code: 'b' },
      { token: 'a', request_id: 'b', code: 'c' },
      { request_id: 'b' },
      { code: 'b' },
    ])
      assert.throws(() => presentedOf(wrong), { code: 'unprocessable_content', errors: [] })
    assert.deepEqual(describeFields(z.object({ code: proofFields.code }))['properties'], {
      code: { type: 'string', example: '1234 5678' },
    })
    assert.deepEqual(requestIdSchema, {
      type: 'object',
      properties: { request_id: { type: 'string' } },
      required: ['request_id'],
    })
  })
})
