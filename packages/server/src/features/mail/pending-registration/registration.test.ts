import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { noLimits, type Limits } from '../../operations/limits/limits.ts'
import type { User } from '../../users/accounts/user.ts'
import type { FlowParts } from '../flows/flow.ts'
import { registrationFlow } from './registration.ts'
import type { insertPending } from './store.ts'

const request = { subject: 'new', email: 'Ada@example.com', language: 'de' }

type Pending = Parameters<(typeof insertPending)['run']>[1]

const passwordPolicy = createPasswordPolicy({ minLength: 15, issuer: 'https://auth.example' })

/** Resolves a registration, while this user has its address. */
async function resolve(holder: object | undefined, asked = request): Promise<unknown> {
  const user = holder && ({ publicUser: holder } as User)
  const users = { findByLogin: async () => user }
  const parts = { users, passwordPolicy } as unknown as FlowParts
  const { purpose } = registrationFlow(parts)
  return purpose?.resolve(asked)
}

describe('the flow of a registration', () => {
  it('an unregistered e-mail address gets a link and a code', async () => {
    const free = {
      subject: 'new',
      mailbox: 'ada@example.com',
      recipient: 'Ada@example.com',
      keepsCount: true,
    }
    assert.deepEqual(await resolve(undefined), free)
    assert.deepEqual(await resolve({ id: 'old', email: null }), free)
    assert.equal(await resolve(undefined, { ...request, email: 'no address' }), undefined)
  })

  it('a registered e-mail address gets a mail without link, in the request language', async () => {
    assert.deepEqual(await resolve({ id: 'old', email: 'ADA@example.com' }), {
      subject: 'old',
      mailbox: 'ada@example.com',
      recipient: 'ADA@example.com',
      notice: { template: 'already_registered', parameters: { language: 'de' } },
    })
  })
})

describe('the endpoint of a registration', () => {
  it('POST /users stores the browser’s language and counts the mail for a rate limit', async () => {
    const [registered, counted]: [unknown[], unknown[]] = [[], []]
    const count: Limits['count'] = async (uses) => {
      counted.push(...uses.map(({ rate }) => rate.name))
      return noLimits.count(uses)
    }
    const prepare = (_kind: unknown, { language }: { readonly language: string }): object => ({
      requestId: 'registration-1',
      row: { language },
    })
    const write = async (_command: unknown, { row, proof }: Pending): Promise<void> => {
      registered.push([
        row.username,
        row.password_hash,
        (proof as object as typeof request).language,
      ])
    }
    const { route } = registrationFlow({
      passwords: { hash: async () => 'hash' },
      passwordPolicy,
      limits: { ...noLimits, count },
      registration: 'open',
      proofs: { prepare },
      database: { write },
    } as unknown as FlowParts)
    const person = { username: 'Ada', email: 'a@example.com', password: 'an engine of her own' }
    for (const language of ['de', 'nl']) {
      const { status, body } = await route.handle({
        method: 'POST',
        url: '/users',
        headers: new Headers({ 'content-type': 'application/json', 'accept-language': language }),
        body: async () => Buffer.from(JSON.stringify(person)),
        params: {},
      })
      assert.deepEqual([status, body], [202, '{"registration_id":"registration-1"}'])
    }
    assert.deepEqual(registered, [
      ['Ada', 'hash', 'de'],
      ['Ada', 'hash', ''],
    ])
    assert.deepEqual(counted, ['registration-server', 'registration-server'])
    const { schema } = route.doc.success
    assert.deepEqual(schema, {
      type: 'object',
      properties: { registration_id: { type: 'string' } },
      required: ['registration_id'],
    })
  })
})
