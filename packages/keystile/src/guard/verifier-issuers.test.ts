// Tests of createVerifier with keys that it fetches, from one issuer or several.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fetchFrom, scriptIssuer, type ScriptedIssuer } from '../../test-support/scripted-issuer.ts'
import { assertWhy, type Why } from '../../test-support/why.ts'
import { TokenError } from '../base/errors.ts'
import { generateKey } from '../keys/generate-key.ts'
import { importKey } from '../keys/import-key.ts'
import { exportPrivateJwk, exportPublicJwk } from '../keys/jwk.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { signJws } from '../token/jws.ts'
import type { Identity } from './identity.ts'
import type { Revocations, RevocationState } from './revocations.ts'
import { createVerifier, type Verifier, type VerifierOptions } from './verifier.ts'

const begin = 1_800_000_000 // seconds
const issuer = 'https://auth.example'
const audience = 'https://api.example'
const [first, second] = [
  generateKey('ES256', { keyId: 'first' }),
  generateKey('ES256', { keyId: 'second' }),
]

const tokenOf = (by: SigningKey, changes: object = {}, headerChanges: object = {}): string => {
  const claims = {
    iss: issuer,
    aud: audience,
    sub: 'alice',
    client_id: 'app',
    sid: 's1',
    jti: 'j',
    iat: begin,
  }
  const header = { alg: by.algorithm.name, kid: by.keyId, typ: 'at+jwt', ...headerChanges }
  return signJws(header, JSON.stringify({ ...claims, exp: begin + 100_000, ...changes }), by)
}

interface Stage {
  readonly verifier: Verifier
  readonly script: ScriptedIssuer
  advance(seconds: number): void
}

function start(
  options: Partial<VerifierOptions> = {},
  keys: readonly SigningKey[] = [first],
): Stage {
  let now = begin * 1000
  const script = scriptIssuer(keys)
  const verifier = createVerifier({
    issuer,
    audience,
    fetch: script.fetch,
    revocations: 'none',
    clock: { now: () => now },
    ...options,
  })
  return {
    verifier,
    script,
    advance(seconds) {
      now += seconds * 1000
    },
  }
}

async function refusalOf(verified: Promise<Identity>): Promise<TokenError> {
  const error = await verified.then(
    () => assert.fail('the token must be refused'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof TokenError, String(error))
  return error
}

async function refuses(verified: Promise<Identity>, why?: Why): Promise<void> {
  const refusal = await refusalOf(verified)
  const { code, status, message } = refusal
  assert.deepEqual([code, status, message], ['invalid_token', 401, 'Invalid token'])
  if (why !== undefined) assertWhy(refusal, why)
}

async function unavailable(verified: Promise<Identity>, retryAfterSeconds: number): Promise<void> {
  const refusal = await refusalOf(verified)
  assert.deepEqual([refusal.code, refusal.status], ['temporarily_unavailable', 503])
  assert.equal(refusal.retryAfterSeconds, retryAfterSeconds)
}

/** Waits until a fetch in the background has ended. */
const settled = async ({ verifier }: Stage): Promise<void> =>
  refuses(verifier.verify(tokenOf(second)))

describe('createVerifier without keys', () => {
  const options = { issuer, audience, revocations: 'none' } as const
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    [
      'an http issuer on another machine',
      { ...options, issuer: 'http://auth.example' },
      /use https/,
    ],
    [
      'an http issuer among others',
      { ...options, issuer: [issuer, 'http://auth.example'] },
      /use https/,
    ],
    ['an issuer that is not a URL', { ...options, issuer: 'auth' }, /an https URL/],
    ['keys that are undefined', { ...options, keys: undefined }, /leave it out/],
    ['a fetch that is not a function', { ...options, fetch: {} }, /`fetch` must be a function/],
    [
      'revocations that are undefined',
      { ...options, revocations: undefined },
      /`revocations` of createVerifier is undefined/,
    ],
    ['an empty array of issuers', { ...options, issuer: [] }, /`issuer` must be/],
    ['the same issuer twice', { ...options, issuer: [issuer, issuer] }, /different/],
  ]
  for (const [name, given, expected] of wrong) {
    it(`if keys must be fetched, createVerifier refuses ${name}`, () => {
      assert.throws(
        () => createVerifier(given as VerifierOptions),
        (error) => error instanceof TypeError && expected.test(error.message),
      )
    })
  }

  it('createVerifier accepts https issuers, and http issuers only on this machine', () => {
    for (const given of [
      issuer,
      'http://localhost:3000/auth',
      'http://127.0.0.1',
      'http://[::1]:1',
    ]) {
      assert.equal(createVerifier({ ...options, issuer: given }).issuer, given)
    }
  })

  it('createVerifier refuses the option `keys` together with several issuers', () => {
    const keys = { keys: [exportPublicJwk(first)] }
    assert.throws(
      () => createVerifier({ ...options, issuer: [issuer, 'https://b.example'], keys }),
      /with one issuer only/,
    )
    assert.ok(createVerifier({ ...options, issuer: [issuer], keys }))
  })

  it('createVerifier fetches nothing before the first token', async () => {
    const { verifier, script } = start()
    await turn()
    assert.deepEqual([verifier.state, script.asked], ['starting', []])
  })

  it('a verifier without the option `fetch` reads globalThis.fetch at each request', async (t) => {
    const script = scriptIssuer([first])
    const verifier = createVerifier({ ...options, clock: { now: () => begin * 1000 } })
    t.mock.method(globalThis, 'fetch', script.fetch)
    assert.equal((await verifier.verify(tokenOf(first))).subject, 'alice')
    assert.equal(script.fetches, 1)
  })
})

describe('verify() with keys that are fetched', () => {
  it('verify() fetches the keys for the first token; recall() then finds this token', async () => {
    const { verifier, script } = start()
    const token = tokenOf(first)
    assert.equal(verifier.recall!(token), undefined)
    const identity = await verifier.verify(token)
    assert.equal(identity.subject, 'alice')
    assert.equal(await verifier.verify(token), identity)
    assert.equal(verifier.recall!(token), identity)
    assert.deepEqual(script.asked, [script.metadataUrl, script.jwksUri])
  })

  const hopeless: readonly (readonly [string, string, Why])[] = [
    ['no characters', '', /three segments/],
    ['two segments', 'a.b', /three segments/],
    ['a header that is not JSON', 'AAAA.e30.AAAA', /header/],
    ['claims that are not JSON', signJws({ alg: 'ES256', typ: 'at+jwt' }, 'no', first), /payload/],
    [
      'claims with an issuer twice',
      signJws({ alg: 'ES256' }, `{"iss":"${issuer}","iss":"x"}`, first),
      /appears twice/,
    ],
    [
      'the algorithm "none"',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`,
      'unknown_algorithm',
    ],
    ['another issuer', tokenOf(first, { iss: 'https://evil.example' }), 'wrong_issuer'],
    ['a slash after the issuer', tokenOf(first, { iss: `${issuer}/` }), 'wrong_issuer'],
    ['no issuer', tokenOf(first, { iss: undefined }), 'wrong_issuer'],
    ['the issuer in an array', tokenOf(first, { iss: [issuer] }), 'wrong_issuer'],
    ['an issuer that is a number', tokenOf(first, { iss: 1 }), 'wrong_issuer'],
    ['the issuer "__proto__"', tokenOf(first, { iss: '__proto__' }), 'wrong_issuer'],
    ['the issuer "constructor"', tokenOf(first, { iss: 'constructor' }), 'wrong_issuer'],
    [
      'a shared secret',
      tokenOf(generateKey('HS256', { keyId: 'first' })),
      /HMAC algorithms are not allowed/,
    ],
    [
      'an algorithm that is not allowed',
      tokenOf(generateKey('Ed25519', { keyId: 'first' })),
      'forbidden_algorithm',
    ],
  ]
  for (const [name, token, reason] of hopeless) {
    it(`verify() rejects with 401 and fetches nothing if the token has ${name}`, async () => {
      const { verifier, script } = start({ algorithms: ['ES256', 'HS256'] })
      await refuses(verifier.verify(token), reason)
      assert.deepEqual(script.asked, [])
      await verifier.ready()
      await refuses(verifier.verify(token), reason)
      assert.equal(script.asked.length, 2)
    })
  }

  it('verify() accepts a token whose algorithm is in the option `algorithms`', async () => {
    const { verifier } = start({ algorithms: ['RS256', 'ES256'] })
    assert.ok(await verifier.verify(tokenOf(first)))
  })

  it('before a verifier has keys, verify() rejects with 503 and Retry-After, not 401', async () => {
    const { verifier, script, advance } = start()
    script.instead = () => Promise.reject(new Error('down'))
    const good = tokenOf(first)
    await unavailable(verifier.verify(good), 1)
    await unavailable(verifier.verify(tokenOf(second)), 1)
    assert.equal(script.asked.length, 1)
    assert.equal(verifier.state, 'starting')
    advance(1)
    await unavailable(verifier.verify(good), 2)
    script.instead = undefined
    await unavailable(verifier.verify(good), 2)
    advance(2)
    assert.ok(await verifier.verify(good))
    assert.equal(verifier.state, 'current')
  })

  it('verify() refuses a token with a known kid if another key signed this token', async () => {
    const { verifier } = start()
    await refuses(
      verifier.verify(tokenOf(generateKey('ES256', { keyId: 'first' }))),
      'wrong_signature',
    )
  })

  it('verify() never uses the text of a public key as a shared secret', async () => {
    const { verifier, script } = start()
    await verifier.ready()
    const published = JSON.stringify(script.keys[0])
    const x = {
      kty: 'oct',
      alg: 'HS256',
      kid: 'first',
      k: Buffer.from(published).toString('base64url'),
    }
    assert.throws(() => importKey(x), TypeError) // importKey refuses such a key
    const secret = generateKey('HS256', { keyId: 'first' })
    script.keys = [...script.keys, { ...exportPrivateJwk(secret), kid: 'published' }]
    await refuses(
      verifier.verify(tokenOf(secret, {}, { kid: 'published' })),
      /HMAC algorithms are not allowed/,
    )
  })

  it('verify() accepts a token without kid only if a single key of the issuer fits', async () => {
    const { verifier } = start()
    assert.ok(await verifier.verify(tokenOf(first, {}, { kid: undefined })))
    const both = start({}, [first, second])
    await refuses(both.verifier.verify(tokenOf(first, {}, { kid: undefined })), 'unknown_key')
  })

  it('within 30 s, verify() accepts a new key and refuses a removed key', async () => {
    const { verifier, script, advance } = start()
    const old = tokenOf(first)
    assert.ok(await verifier.verify(old))
    script.keys = [exportPublicJwk(second)]
    await refuses(verifier.verify(tokenOf(second)), 'unknown_key')
    assert.ok(await verifier.verify(old))
    advance(30)
    assert.ok(await verifier.verify(tokenOf(second)))
    assert.equal(verifier.recall!(old), undefined)
    await refuses(verifier.verify(old), 'unknown_key')
    await refuses(verifier.verify(tokenOf(first, { jti: 'k' })), 'unknown_key')
    assert.equal(script.fetches, 2)
  })

  it('recall() still finds a token after the same key is fetched again', async () => {
    const stage = start()
    const { verifier, script, advance } = stage
    const token = tokenOf(first)
    const identity = await verifier.verify(token)
    for (let i = 0; i < 5; i++) {
      script.keys = [...script.keys].toReversed().map((jwk) => ({ ...jwk, round: i }))
      advance(300)
      assert.equal(verifier.recall!(token), identity)
      await turn()
      assert.equal(script.fetches, i + 2) // recall started the fetch
      await settled(stage)
      assert.equal(verifier.recall!(token), identity)
    }
    script.keys = [exportPublicJwk(generateKey('ES256', { keyId: 'first' }))]
    advance(300)
    assert.equal(verifier.recall!(token), identity)
    await settled(stage)
    assert.equal(verifier.recall!(token), undefined)
    await refuses(verifier.verify(token), 'wrong_signature')
  })

  it('while the issuer is down, verify() uses the keys that it fetched before', async () => {
    const stage = start()
    const { verifier, script, advance } = stage
    assert.ok(await verifier.verify(tokenOf(first)))
    script.instead = () => Promise.reject(new Error('down'))
    for (let hours = 0; hours < 24; hours++) {
      advance(3600)
      assert.ok(await verifier.verify(tokenOf(first, { jti: `${hours}` })))
      await settled(stage)
      assert.equal(verifier.state, 'stale')
    }
    script.instead = undefined
    advance(30)
    await settled(stage)
    assert.equal(verifier.state, 'current')
  })
})

describe('a flood of tokens with unknown kids', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const usedBytes = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const count = process.env['KEYSTILE_LONG'] ? 100_000 : 1_000
  const stepSeconds = 0.125
  const payload = tokenOf(first).split('.')[1]!
  const unknown = (i: number): string => {
    const header = Buffer.from(`{"alg":"ES256","kid":"unknown-${i}","typ":"at+jwt"}`).toString(
      'base64url',
    )
    return `${header}.${payload}.${'A'.repeat(86)}`
  }

  it(`${count} unknown kids cause one fetch per 30 s, and the memory does not grow`, async (t) => {
    const { verifier, script, advance } = start()
    let used = 0
    for (let i = 0; i < count; i++) {
      if (i > 0) advance(stepSeconds)
      await refuses(verifier.verify(unknown(i)), 'unknown_key')
      const seconds = i * stepSeconds
      assert.equal(script.fetches, Math.floor(seconds / 30) + 1)
      if (i === count / 10) used = usedBytes()
    }
    assert.equal(
      script.asked.length - script.fetches,
      Math.floor(((count - 1) * stepSeconds) / 3600) + 1,
    )
    const grown = usedBytes() - used
    t.diagnostic(
      `${script.fetches} fetches, ${grown} bytes more after the last ${count * 0.9} tokens`,
    )
    assert.ok(grown < 2_000_000, `${grown} bytes`)
  })

  it('100 simultaneous unknown kids cause one fetch per 30 s; a good token passes', async () => {
    const { verifier, script, advance } = start()
    const good = tokenOf(first)
    await verifier.verify(good)
    for (let seconds = 0; seconds < (count * 10) / 1000; seconds++) {
      if (seconds > 0) advance(10)
      const flood = Array.from({ length: 100 }, (_, i) =>
        refuses(verifier.verify(unknown(i)), 'unknown_key'),
      )
      assert.ok(verifier.recall!(good))
      await Promise.all(flood)
      assert.equal(script.fetches, Math.floor((seconds * 10) / 30) + 1)
    }
  })
})

describe('a verifier with several issuers', () => {
  const [issuerA, issuerB] = ['https://a.example', 'https://b.example/tenant']
  // Both issuers use the same kid.
  const [keyOfA, keyOfB] = [
    generateKey('ES256', { keyId: 'k' }),
    generateKey('ES256', { keyId: 'k' }),
  ]
  const stageOf = (): Omit<Stage, 'script'> & {
    readonly a: ScriptedIssuer
    readonly b: ScriptedIssuer
  } => {
    const [a, b] = [scriptIssuer([keyOfA], issuerA), scriptIssuer([keyOfB], issuerB)]
    b.instead = (url) =>
      url === 'https://b.example/.well-known/oauth-authorization-server/tenant'
        ? Response.json({ issuer: issuerB, jwks_uri: b.jwksUri })
        : undefined
    const fetch: ScriptedIssuer['fetch'] = (url, init) =>
      url.startsWith('https://b.example/') ? b.fetch(url, init) : fetchFrom(a)(url, init)
    return { ...start({ issuer: [issuerA, issuerB], fetch }), a, b }
  }

  it('a verifier fetches an issuer’s keys only when a token of this issuer arrives', async () => {
    const { verifier, a, b } = stageOf()
    assert.equal((await verifier.verify(tokenOf(keyOfA, { iss: issuerA }))).claims.iss, issuerA)
    assert.deepEqual([a.fetches, b.fetches, verifier.state], [1, 0, 'starting'])
    assert.equal((await verifier.verify(tokenOf(keyOfB, { iss: issuerB }))).claims.iss, issuerB)
    assert.deepEqual([a.fetches, b.fetches, verifier.state], [1, 1, 'current'])
  })

  it('verify() refuses a token if a key of another issuer signed the token', async () => {
    const { verifier } = stageOf()
    await verifier.ready()
    const [tokenA, tokenB] = [tokenOf(keyOfA, { iss: issuerA }), tokenOf(keyOfB, { iss: issuerB })]
    const forged = [tokenOf(keyOfA, { iss: issuerB }), tokenOf(keyOfB, { iss: issuerA })]
    for (const token of forged) await refuses(verifier.verify(token), 'wrong_signature')
    assert.ok((await verifier.verify(tokenA)) && (await verifier.verify(tokenB)))
    for (const token of forged) {
      await refuses(verifier.verify(token), 'wrong_signature')
      assert.equal(verifier.recall!(token), undefined)
    }
    for (const token of [tokenA, tokenB]) assert.ok(verifier.recall!(token))
  })

  it('verify() refuses a token that another issuer signed, even if the kid is unique', async () => {
    const { verifier, a } = stageOf()
    const other = generateKey('ES256', { keyId: 'of a alone' })
    a.keys = [exportPublicJwk(other)]
    await verifier.ready()
    assert.ok(await verifier.verify(tokenOf(other, { iss: issuerA })))
    await refuses(verifier.verify(tokenOf(other, { iss: issuerB })), 'unknown_key')
  })

  it('the issuer of a token must have exactly the configured spelling', async () => {
    const { verifier, a, b } = stageOf()
    for (const iss of [
      'https://b.example',
      `${issuerB}/`,
      issuerA.toUpperCase(),
      `${issuerA},${issuerB}`,
    ]) {
      for (const key of [keyOfA, keyOfB])
        await refuses(verifier.verify(tokenOf(key, { iss })), 'wrong_issuer')
    }
    assert.deepEqual([...a.asked, ...b.asked], [])
  })

  it('verify() accepts the tokens of one issuer while another issuer is down', async () => {
    const { verifier, b } = stageOf()
    b.instead = () => Promise.reject(new Error('down'))
    await unavailable(verifier.verify(tokenOf(keyOfB, { iss: issuerB })), 1)
    assert.ok(await verifier.verify(tokenOf(keyOfA, { iss: issuerA })))
    assert.equal(verifier.state, 'starting')
    await assert.rejects(
      verifier.ready(),
      /the keys of https:\/\/b\.example\/tenant cannot be fetched/,
    )
  })

  it('recall() returns undefined after the token’s issuer has removed the key', async () => {
    const { verifier, a, advance } = stageOf()
    const [tokenA, tokenB] = [tokenOf(keyOfA, { iss: issuerA }), tokenOf(keyOfB, { iss: issuerB })]
    await verifier.verify(tokenA)
    await verifier.verify(tokenB)
    a.keys = [exportPublicJwk(second)]
    advance(30)
    assert.ok(await verifier.verify(tokenOf(second, { iss: issuerA })))
    assert.equal(verifier.recall!(tokenA), undefined)
    await refuses(verifier.verify(tokenA), 'unknown_key')
    assert.ok(verifier.recall!(tokenB))
  })

  it('with several issuers, the challenge names the first issuer as its realm', () => {
    assert.equal(stageOf().verifier.issuer, issuerA)
  })
})

describe('ready()', () => {
  it('verifier.ready() resolves when all keys are loaded, and can be called again', async () => {
    const { verifier, script } = start()
    assert.equal(verifier.state, 'starting')
    await Promise.all([verifier.ready(), verifier.ready()])
    assert.equal(verifier.state, 'current')
    await verifier.ready()
    assert.equal(script.fetches, 1)
    assert.ok(await verifier.verify(tokenOf(first)))
    assert.equal(script.fetches, 1)
  })

  it('verifier.ready() rejects with the reason if the keys cannot be loaded', async () => {
    const { verifier, script } = start()
    script.instead = () =>
      Response.json({ issuer: 'https://evil.example', jwks_uri: script.jwksUri })
    await assert.rejects(verifier.ready(), /it is "https:\/\/evil\.example"$/)
    assert.equal(verifier.state, 'starting')
  })

  const revocationsIn = (state: RevocationState, after: RevocationState | Error): Revocations => ({
    state,
    isRevoked: () => false,
    async refresh() {
      if (after instanceof Error) throw after
      Object.assign(this, { state: after })
    },
  })

  it('verifier.ready() fetches nothing if the options contain the keys', async () => {
    const verifier = createVerifier({
      issuer: 'any name',
      audience,
      keys: { keys: [exportPublicJwk(first)] },
      revocations: 'none',
    })
    await verifier.ready()
    assert.equal(verifier.state, 'current')
  })

  it('verifier.ready() does not refresh revocations that are current', async (t) => {
    const revocations = revocationsIn('current', 'current')
    const refresh = t.mock.method(revocations, 'refresh')
    await start({ revocations }).verifier.ready()
    assert.equal(refresh.mock.callCount(), 0)
  })

  it('verifier.ready() waits for revocations, and rejects if they stay unknown', async () => {
    for (const state of ['starting', 'stale'] as const) {
      const { verifier } = start({ revocations: revocationsIn(state, 'current') })
      assert.equal(verifier.state, 'starting')
      await verifier.ready()
      assert.equal(verifier.state, 'current')
      const without = start({ revocations: revocationsIn(state, state) }).verifier
      await assert.rejects(without.ready(), {
        reason: 'revocations_unavailable',
        detail: `revocations are ${state}`,
        message: `revocations are ${state}`,
      })
      assert.equal(without.state, state)
    }
    const cause = new Error('connection refused')
    await assert.rejects(
      start({ revocations: revocationsIn('starting', cause) }).verifier.ready(),
      { cause, message: 'connection refused' },
    )
  })
})

describe('close()', () => {
  it('after verifier.close(), nothing is fetched and verify() rejects with 503', async () => {
    const { verifier, script, advance } = start()
    const token = tokenOf(first)
    await verifier.verify(token)
    verifier.close()
    verifier.close()
    advance(3600)
    assert.equal(verifier.state, 'stale')
    assert.equal(verifier.recall!(token), undefined)
    await unavailable(verifier.verify(token), 1)
    await unavailable(verifier.verify(tokenOf(second)), 1)
    await assert.rejects(verifier.ready(), /closed/)
    assert.equal(script.fetches, 1)
  })

  it('verifier.close() aborts the first load of keys', async () => {
    const { verifier, script } = start()
    script.instead = () => new Promise(() => {})
    const [refused, notReady] = [
      refusalOf(verifier.verify(tokenOf(first))),
      assert.rejects(verifier.ready(), /closed/),
    ]
    await turn()
    verifier.close()
    assert.equal((await refused).code, 'temporarily_unavailable')
    await notReady
  })

  it('after verifier.close(), verify() rejects even if the options contain the keys', async () => {
    const { verifier } = start({ keys: { keys: [exportPublicJwk(first)] } })
    const token = tokenOf(first)
    await verifier.verify(token)
    verifier.close()
    assert.equal(verifier.recall!(token), undefined)
    await unavailable(verifier.verify(token), 1)
    await assert.rejects(verifier.ready(), /closed/)
  })
})

describe('createVerifier with jwksUri', () => {
  const jwksUri = 'https://tenant.example/.well-known/jwks.json'
  const startWith = (given: Partial<VerifierOptions> = {}): Stage => {
    const stage = start({ jwksUri, ...given })
    stage.script.jwksUri = jwksUri
    return stage
  }

  it('with jwksUri, a verifier does not fetch the issuer’s metadata', async () => {
    const { verifier, script } = startWith()
    assert.equal(script.asked.length, 0)
    assert.equal((await verifier.verify(tokenOf(first))).subject, 'alice')
    assert.deepEqual(script.asked, [jwksUri])
  })

  it('with jwksUri, the issuer can be any name and need not be a URL', async () => {
    const { verifier, script } = startWith({ issuer: 'the-tenant' })
    assert.equal((await verifier.verify(tokenOf(first, { iss: 'the-tenant' }))).subject, 'alice')
    assertWhy(await refusalOf(verifier.verify(tokenOf(first))), 'wrong_issuer')
    assert.deepEqual(script.asked, [jwksUri])
  })

  it('unknown kids cause one fetch of jwksUri per 30 s, without following redirects', async () => {
    const { verifier, script, advance } = startWith()
    let redirect: RequestInit['redirect']
    script.instead = (_, init) => {
      redirect = init.redirect
      return undefined
    }
    await verifier.ready()
    assert.equal(redirect, 'manual')
    for (let i = 0; i < 10; i++) await refusalOf(verifier.verify(tokenOf(second)))
    assert.equal(script.fetches, 1)
    script.keys = [exportPublicJwk(second)]
    advance(30)
    assert.equal((await verifier.verify(tokenOf(second))).subject, 'alice')
    assert.equal((await refusalOf(verifier.verify(tokenOf(first)))).code, 'invalid_token')
    assert.deepEqual(script.asked, [jwksUri, jwksUri])
  })

  it('verify() rejects with 503 as long as jwksUri cannot be fetched', async () => {
    const { verifier, script, advance } = startWith()
    script.instead = () => new Response(null, { status: 500 })
    assert.equal((await refusalOf(verifier.verify(tokenOf(first)))).code, 'temporarily_unavailable')
    script.instead = undefined
    advance(1)
    assert.equal((await verifier.verify(tokenOf(first))).subject, 'alice')
    assert.deepEqual(script.asked, [jwksUri, jwksUri])
  })

  it('verify() uses only public keys from jwksUri, no secrets and no private keys', async () => {
    const secret = generateKey('HS256', { keyId: 'secret' })
    const { verifier, script } = startWith()
    script.keys = [exportPrivateJwk(secret), exportPrivateJwk(second), exportPublicJwk(first)]
    for (const by of [secret, second])
      assert.equal((await refusalOf(verifier.verify(tokenOf(by)))).code, 'invalid_token')
    assert.equal((await verifier.verify(tokenOf(first))).subject, 'alice')
  })

  it('jwksUri can be http on this machine', async (t) => {
    const server = createServer((_, response) =>
      response.end(JSON.stringify({ keys: [exportPublicJwk(first)] })),
    )
    t.after(() => server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const clock = { now: () => begin * 1000 }
    const local = `http://127.0.0.1:${port}/jwks?tenant=1`
    const verifier = createVerifier({
      issuer,
      audience,
      revocations: 'none',
      clock,
      jwksUri: local,
    })
    assert.equal((await verifier.verify(tokenOf(first))).subject, 'alice')
  })

  const wrong: readonly [string, object, RegExp][] = [
    [
      'together with keys',
      { keys: { keys: [exportPublicJwk(first)] } },
      /either `keys` or `jwksUri`/,
    ],
    [
      'with two issuers',
      { issuer: [issuer, 'https://other.example'] },
      /`jwksUri` works with one issuer only/,
    ],
    ['that is undefined', { jwksUri: undefined }, /`jwksUri` of createVerifier is undefined/],
    ['that is empty', { jwksUri: '' }, /must be the https URL/],
    ['that is a URL object', { jwksUri: new URL(jwksUri) }, /must be the https URL/],
    ['that is a list', { jwksUri: [jwksUri] }, /must be the https URL/],
    ['over http', { jwksUri: 'http://tenant.example/hunter2' }, /must be an https URL/],
    [
      'over http from another address',
      { jwksUri: 'http://10.0.0.1/hunter2' },
      /must be an https URL/,
    ],
    [
      'over http from a name that begins with localhost',
      { jwksUri: 'http://localhost.evil/hunter2' },
      /must be an https URL/,
    ],
    ...[
      'https://user:hunter2@tenant.example/jwks',
      'https://tenant.example/jwks#hunter2',
      ' https://tenant.example/hunter2',
      'https:\\\\tenant.example\\hunter2',
      'https:tenant.example/hunter2',
      '//tenant.example/hunter2',
      '/etc/hunter2.json',
      'file:///etc/hunter2.json',
      'data:application/json,{"hunter2":[]}',
      'ftp://tenant.example/hunter2',
    ].map((uri): [string, object, RegExp] => [
      JSON.stringify(uri),
      { jwksUri: uri },
      /must be the https URL/,
    ]),
  ]
  for (const [what, given, expected] of wrong) {
    it(`createVerifier refuses a jwksUri ${what}`, () => {
      assert.throws(
        () => startWith(given),
        (error) =>
          error instanceof TypeError &&
          expected.test(error.message) &&
          !error.message.includes('hunter2'),
      )
    })
  }
})
