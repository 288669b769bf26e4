import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { signJws } from '../token/jws.ts'
import { createVerifier } from './verifier.ts'

const key = generateKey('ES256')
let now = 1_800_000_000 // seconds
const options = {
  issuer: 'https://login.example',
  audience: 'https://api.example',
  keys: keySetOf([key]),
  revocations: 'none',
  clock: { now: () => now * 1000 },
} as const

/** Signs a token as most issuers do: typ JWT, without jti and client_id. */
function plain(claims: object = {}): string {
  const all = { iss: options.issuer, aud: options.audience, sub: 'ada', exp: now + 600, ...claims }
  return signJws({ alg: 'ES256', kid: key.keyId, typ: 'JWT' }, JSON.stringify(all), key)
}

describe('a verifier with the option tokenType', () => {
  it('a default verifier refuses a token that a verifier with tokenType JWT accepts', async () => {
    const token = plain()
    await assert.rejects(createVerifier(options).verify(token), { reason: 'wrong_type' })
    await assert.rejects(createVerifier({ ...options, tokenType: 'at+jwt' }).verify(token), {
      reason: 'wrong_type',
    })
    const identity = await createVerifier({ ...options, tokenType: 'JWT' }).verify(token)
    assert.equal(identity.subject, 'ada')
    assert.equal(identity.clientId, undefined)
  })

  it('with tokenType JWT, verify() applies the options `clients` and `scopesFrom`', async () => {
    const token = plain({ azp: 'app', permissions: ['read'], iat: now })
    const rules = {
      tokenType: 'JWT',
      clients: ['app'],
      scopesFrom: 'permissions',
      maxTokenAgeSeconds: 30,
    } as const
    const verifier = createVerifier({ ...options, ...rules })
    assert.deepEqual((await verifier.verify(token)).scopes, ['read'])

    const bound = createVerifier({
      ...options,
      ...rules,
      audience: { claim: 'azp', values: ['app'] },
    })
    await assert.rejects(bound.verify(token), { reason: 'wrong_audience' })
    const unbound = plain({ aud: undefined, azp: 'app', permissions: ['read'], iat: now })
    assert.equal((await bound.verify(unbound)).clientId, 'app')
    await assert.rejects(verifier.verify(unbound), { reason: 'wrong_audience' })
    await assert.rejects(verifier.verify(plain({ azp: 'x', iat: now })), { reason: 'wrong_client' })
  })

  for (const claim of ['scope', 'scp', 'permissions'] as const) {
    it(`with scopesFrom '${claim}', verify() reads the scopes in the claim ${claim}`, async () => {
      const verifier = createVerifier({ ...options, tokenType: 'JWT', scopesFrom: claim })
      assert.deepEqual((await verifier.verify(plain({ [claim]: 'read' }))).scopes, ['read'])
    })
  }

  it('if scopesFrom is a function, verify() returns the scopes of this function', async () => {
    const scopesFrom = (claims: object): string[] => Object.keys(claims).slice(-1)
    const verifier = createVerifier({ ...options, tokenType: 'JWT', scopesFrom })
    assert.deepEqual((await verifier.verify(plain({ cook: true }))).scopes, ['cook'])
  })

  it('a cached token is refused when it is older than maxTokenAgeSeconds', async () => {
    const verifier = createVerifier({ ...options, tokenType: 'JWT', maxTokenAgeSeconds: 30 })
    const token = plain({ iat: now })
    const identity = await verifier.verify(token)
    now += 34
    assert.equal(verifier.recall?.(token), identity)
    now += 1
    assert.equal(verifier.recall?.(token), undefined)
    await assert.rejects(verifier.verify(token), { reason: 'expired' })
  })

  it('a verifier ignores later changes to the app’s lists of audiences and clients', async () => {
    const clients = ['app']
    const values = ['app']
    const audience = { claim: 'azp', values }
    const verifier = createVerifier({ ...options, tokenType: 'JWT', audience, clients })
    clients.push('other')
    values.push('other')
    const other = plain({ aud: undefined, azp: 'other' })
    await assert.rejects(verifier.verify(other), { reason: 'wrong_audience' })
  })

  it('for a token that names no client, isRevoked() gets undefined as clientId', async () => {
    const asked: unknown[] = []
    const revocations = {
      state: 'current',
      isRevoked: ({ subject, clientId }: { subject: string; clientId: string | undefined }) =>
        asked.push([subject, clientId]) > 1,
      refresh: async () => {},
    } as const
    const verifier = createVerifier({ ...options, tokenType: 'JWT', revocations })
    const token = plain()
    await verifier.verify(token)
    await assert.rejects(verifier.verify(token), { reason: 'revoked' })
    assert.deepEqual(asked[0], ['ada', undefined])
  })
})

describe('the options for tokenType JWT', () => {
  const wrong: readonly (readonly [what: string, options: object, message: RegExp])[] = [
    ['another tokenType', { tokenType: 'jwt' }, /^`tokenType` must be 'at\+jwt' or 'JWT'/],
    [
      'clients without tokenType',
      { clients: ['a'] },
      /^`clients` works only with `tokenType: 'JWT'`/,
    ],
    ['scopesFrom without tokenType', { scopesFrom: 'scp' }, /^`scopesFrom` works only with/],
    [
      'maxTokenAgeSeconds alone',
      { maxTokenAgeSeconds: 9 },
      /^`maxTokenAgeSeconds` works only with/,
    ],
    [
      'a claim without tokenType',
      { audience: { claim: 'azp', values: ['a'] } },
      /^`audience` must/,
    ],
    ['no clients', { tokenType: 'JWT', clients: [] }, /^`clients` must .* an empty array$/],
    ...[null, '', 0, false].map(
      (clients) =>
        [`the clients ${clients}`, { tokenType: 'JWT', clients }, /^`clients` must/] as const,
    ),
    ['an empty client', { tokenType: 'JWT', clients: [''] }, /^`clients` must/],
    [
      'another claim of scopes',
      { tokenType: 'JWT', scopesFrom: 'roles' },
      /^`scopesFrom` .* a string$/,
    ],
    ['an age of 0', { tokenType: 'JWT', maxTokenAgeSeconds: 0 }, /number above 0; it is 0$/],
    ['an age that is a text', { tokenType: 'JWT', maxTokenAgeSeconds: '9' }, /it is a string$/],
    ['no audience', { tokenType: 'JWT', audience: [] }, /^`audience` must/],
    ['an audience null', { tokenType: 'JWT', audience: null }, /^`audience` must .* it is null$/],
    ['no values', { tokenType: 'JWT', audience: { claim: 'azp' } }, /^`values` of `audience` must/],
    ['no claim', { tokenType: 'JWT', audience: { values: ['a'] } }, /^`claim` of `audience` must/],
  ]

  for (const [what, changes, message] of wrong) {
    it(`createVerifier refuses ${what}`, () => {
      assert.throws(() => createVerifier({ ...options, ...changes }), {
        name: 'TypeError',
        message,
      })
    })
  }

  for (const claim of [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'typ',
    'token_use',
    'ver',
  ]) {
    it(`createVerifier refuses audience { claim: '${claim}' }: the claim identifies no API`, () => {
      const audience = { claim, values: ['a'] }
      assert.throws(() => createVerifier({ ...options, tokenType: 'JWT', audience }), {
        name: 'TypeError',
        message: /^`claim` of `audience` must .* it must not be any of iss, sub, .*, ver$/,
      })
    })
  }
})
