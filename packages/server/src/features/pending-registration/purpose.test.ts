import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { User } from '../accounts/users.ts'
import { createRegistrationPurpose, registrationKind } from './purpose.ts'

const request = { subject: 'new', email: 'Ada@example.com', language: 'de' }
const proof = { token: 't', code: '1234 5678', expiresAt: new Date(0) }

/** Resolves a registration, while this user has its address. */
async function resolve(holder: object | undefined, asked = request): Promise<unknown> {
  const user = holder && ({ publicUser: holder } as User)
  const { resolve } = createRegistrationPurpose({
    users: { findByLogin: async () => user },
    pagesUrl: 'https://auth.example/account',
  })
  return resolve(asked, proof)
}

describe('createRegistrationPurpose', () => {
  it('the mail of a registration has a link and a code for 24 hours', () => {
    assert.equal(registrationKind.lifetimeMilliseconds, 86_400_000)
    assert.equal(registrationKind.hasCode, true)
  })

  it('a free address gets a link and a code, in the language of the request', async () => {
    const free = {
      subject: 'new',
      mailbox: 'ada@example.com',
      recipient: 'Ada@example.com',
      template: 'registration',
      parameters: {
        link: 'https://auth.example/account/finish-registration?token=t',
        code: '1234 5678',
        expires_at: '1970-01-01T00:00:00.000Z',
        language: 'de',
      },
      keepsCount: true,
    }
    assert.deepEqual(await resolve(undefined), free)
    assert.deepEqual(await resolve({ id: 'old', email: null }), free)
    assert.equal(await resolve(undefined, { ...request, email: 'no address' }), undefined)
  })

  it('the owner of a taken address gets no link, in the language of the request', async () => {
    assert.deepEqual(await resolve({ id: 'old', email: 'ADA@example.com' }), {
      subject: 'old',
      mailbox: 'ada@example.com',
      recipient: 'ADA@example.com',
      template: 'already_registered',
      parameters: { language: 'de' },
    })
  })
})
