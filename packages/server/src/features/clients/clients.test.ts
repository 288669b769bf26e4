import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuthError, readWebRequest, type OAuthErrorCode } from 'keystile/internal'
import { authenticateClient, firstParty } from './clients.ts'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

function authenticate(authorization: string | undefined, form: Readonly<Record<string, string>> = {}): unknown {
  const headers = authorization === undefined ? {} : { authorization }
  const request = readWebRequest(new Request('https://auth.example/token', { headers }))
  return authenticateClient(request, new Map(Object.entries(form)))
}

function refuses(
  code: OAuthErrorCode,
  authorization: string | undefined,
  form: Readonly<Record<string, string>> = {},
): void {
  assert.throws(
    () => authenticate(authorization, form),
    (error) => error instanceof OAuthError && error.code === code,
    `${authorization} ${JSON.stringify(form)}`,
  )
}

describe('authenticateClient', () => {
  it('takes a request that names no client for the first party, be it the empty Basic of Swagger UI', () => {
    for (const authorization of [undefined, 'Basic Og==', 'basic Og', basic(':'), 'Bearer x', 'Basic2 x'])
      assert.equal(authenticate(authorization), firstParty)
  })

  it('takes the first party by its name, without a secret, in the header, the body or both', () => {
    const named = { client_id: 'first-party' }
    assert.equal(authenticate(undefined, named), firstParty)
    assert.equal(authenticate(basic('first-party:')), firstParty)
    assert.equal(authenticate(basic('first%2Dparty:')), firstParty)
    assert.equal(authenticate(basic('first-party:'), named), firstParty)
  })

  it('refuses an unknown client, and a secret where there is none, with invalid_client (RFC 6749 §5.2)', () => {
    for (const text of ['other:', 'first-party:x', ':x', 'First-Party:', 'first-party::'])
      refuses('invalid_client', basic(text))
    for (const form of [
      { client_id: 'other' },
      { client_id: 'first-party', client_secret: 'x' },
      { client_secret: 'x' },
    ])
      refuses('invalid_client', undefined, form)
  })

  it('refuses a Basic that is none with invalid_client: no colon, no base64, badly encoded halves', () => {
    const bad = ['', ' !', ' Og==x', ' Oh==', ' O g=='].map((value) => `Basic${value}`)
    for (const authorization of [...bad, basic('first-party'), basic('%:'), basic(':%')]) {
      refuses('invalid_client', authorization)
      assert.throws(() => authenticate(authorization), /must be "Basic" and base64/, authorization)
    }
  })

  it('refuses two ways of authentication at once with invalid_request (RFC 6749 §2.3)', () => {
    refuses('invalid_request', basic('first-party:'), { client_secret: 'x' })
    refuses('invalid_request', basic('first-party:'), { client_id: 'other' })
    refuses('invalid_request', basic(':'), { client_id: 'first-party' })
  })
})
