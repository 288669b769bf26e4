import assert from 'node:assert/strict'
import { describe, it, mock, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fetchFrom, scriptIssuer, type ScriptedIssuer } from '../../test-support/scripted-issuer.ts'
import { TokenError } from '../base/errors.ts'
import { findAlgorithm } from './algorithm.ts'
import { generateKey } from './generate-key.ts'
import { exportPrivateJwk, exportPublicJwk, type Jwk } from './jwk.ts'
import { createRemoteJwkSet, type RemoteJwkSet } from './remote-jwk-set.ts'
import type { SigningKey } from './signing-key.ts'

const es256 = findAlgorithm('ES256')!
const first = generateKey('ES256', { keyId: 'first' })
const second = generateKey('ES256', { keyId: 'second' })

interface Stage {
  readonly script: ScriptedIssuer
  readonly set: RemoteJwkSet
  /** Advances the clock. */
  advance(seconds: number): void
  /**
   * Looks for this `kid` as a verifier does, and waits for a fetch if needed. Returns whether the
   * set then has the key.
   */
  has(keyId: string): Promise<boolean>
  /** Looks for this `kid`, which must fail. Returns the facts of the refusal. */
  refusal(
    keyId: string,
  ): Promise<readonly [code: string, retryAfterSeconds: number | undefined, detail: string]>
}

function start(keys: readonly SigningKey[] = [first], fetch?: ScriptedIssuer['fetch']): Stage {
  let now = 1_800_000_000_000
  const script = scriptIssuer(keys)
  const set = createRemoteJwkSet({
    issuer: script.issuer,
    fetch: fetch ?? ((...asked) => script.fetch(...asked)),
    clock: { now: () => now },
  })
  return {
    script,
    set,
    advance(seconds) {
      now += seconds * 1000
    },
    async has(keyId) {
      await set.seek(keyId, es256)
      return set.find(keyId, es256) !== undefined
    },
    async refusal(keyId) {
      const error = await set.seek(keyId, es256).then(
        () => assert.fail('the kid must be refused'),
        (thrown: unknown) => thrown,
      )
      assert.ok(error instanceof TokenError, String(error))
      assert.equal(error.reason, 'keys_unavailable')
      return [error.code, error.retryAfterSeconds, error.detail ?? '']
    },
  }
}

/** Waits until a running fetch has ended. During the cooldown it starts no new fetch. */
const settled = (stage: Stage): Promise<unknown> => stage.has('settled')

/** Lets this process look like a Cloudflare Worker. */
function actAsWorker(t: TestContext): void {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  const navigator = { value: { userAgent: 'Cloudflare-Workers' }, configurable: true }
  Object.defineProperty(globalThis, 'navigator', navigator)
  t.after(() => own && Object.defineProperty(globalThis, 'navigator', own))
}

/** Lets a search start a fetch without an answer, and removes the timer of the search. */
async function loseFetch(
  t: TestContext,
  script: ScriptedIssuer,
  search: () => Promise<unknown>,
): Promise<void> {
  const apis = ['setTimeout'] as const
  t.mock.timers.enable({ apis: [...apis] })
  script.instead = () => new Promise(() => {})
  void search()
  await turn()
  script.instead = undefined
  t.mock.timers.reset()
  t.mock.timers.enable({ apis: [...apis] })
}

/** Answers of an issuer that are not a key set. */
const failures: readonly (readonly [string, () => Response | Promise<Response>])[] = [
  ['no server answers', () => Promise.reject(new TypeError('fetch failed'))],
  ['the answer is 500', () => new Response('{"keys":[]}', { status: 500 })],
  ['the answer is 404', () => new Response(null, { status: 404 })],
  ['the answer is not JSON', () => new Response('<html>')],
  ['the answer is an object without keys', () => Response.json({ jwks: [] })],
  [
    '`keys` in the answer is not an array',
    () => Response.json({ keys: { first: exportPublicJwk(second) } }),
  ],
  [
    'a key in the answer is not an object',
    () => Response.json({ keys: [exportPublicJwk(second), null] }),
  ],
  ['the answer has no keys', () => Response.json({ keys: [] })],
  [
    'the answer has no usable key',
    () => Response.json({ keys: [{ kty: 'EC', kid: 'second' }, { kty: 'foo' }] }),
  ],
  [
    'the answer has a kid twice',
    () => Response.json({ keys: [exportPublicJwk(second), exportPublicJwk(second)] }),
  ],
  [
    'the answer has only secret keys',
    () => Response.json({ keys: [exportPrivateJwk(generateKey('HS256', { keyId: 'second' }))] }),
  ],
  ['the answer is too large', () => new Response(`{"keys":[]${' '.repeat(300_000)}}`)],
]

describe('createRemoteJwkSet', () => {
  it('after 10 min without use, a remote key set does not find a withdrawn key', async () => {
    const { script, set, has, advance } = start()
    await has('first')
    script.keys = [exportPublicJwk(second)]
    advance(600)
    const searches = [has('first'), has('first')]
    assert.equal(set.find('first', es256), undefined)
    assert.deepEqual(await Promise.all(searches), [false, false])
  })

  it('after a day without use, a remote key set keeps its keys if the issuer is down', async () => {
    const { script, has, advance } = start()
    await has('first')
    script.instead = () => new Response(null, { status: 503 })
    advance(86_400)
    assert.equal(await has('first'), true)
  })

  it('a remote key set fetches metadata and keys at the first search for a key', async () => {
    const { script, set, has } = start()
    assert.equal(set.find('first', es256), undefined)
    assert.deepEqual([set.state, script.asked], ['starting', []])
    assert.equal(await has('first'), true)
    assert.deepEqual([set.state, script.asked], ['current', [script.metadataUrl, script.jwksUri]])
  })

  it('a remote key set fetches its keys once for all simultaneous searches', async () => {
    const { script, has, advance } = start()
    assert.deepEqual(
      await Promise.all(Array.from({ length: 100 }, () => has('first'))),
      Array(100).fill(true),
    )
    assert.equal(script.asked.length, 2)
    script.keys = [exportPublicJwk(second)]
    advance(30)
    assert.deepEqual(
      await Promise.all(Array.from({ length: 100 }, () => has('second'))),
      Array(100).fill(true),
    )
    assert.equal(script.fetches, 2)
  })

  it('createRemoteJwkSet fetches the metadata again after an hour', async () => {
    const { script, has, advance } = start()
    const metadata = (): number => script.asked.filter((url) => url === script.metadataUrl).length
    for (let seconds = 0; seconds < 3600; seconds += 30) {
      await has('unknown')
      assert.equal(metadata(), 1)
      advance(30)
    }
    script.jwksUri = `${script.issuer}/elsewhere`
    script.keys = [exportPublicJwk(second)]
    assert.equal(await has('second'), true)
    assert.equal(metadata(), 2)
  })

  it('createRemoteJwkSet does not fetch the metadata again before an hour has passed', async () => {
    const { script, has, advance } = start()
    await has('first')
    advance(3599.999)
    await has('unknown')
    assert.deepEqual(script.asked, [script.metadataUrl, script.jwksUri, script.jwksUri])
  })
})

describe('a remote key set and tokens with an unknown kid', () => {
  it('searches for unknown kids start at most one fetch of the keys in 30 s', async () => {
    const { script, has, advance } = start()
    await has('first')
    for (let i = 0; i < 100; i++) assert.equal(await has(`unknown-${i}`), false)
    assert.equal(script.fetches, 1)
    advance(29.999)
    assert.equal(await has('unknown'), false)
    assert.equal(script.fetches, 1)
    advance(0.001)
    assert.equal(await has('unknown'), false)
    assert.equal(script.fetches, 2)
  })

  it('a remote key set finds a new kid within 30 s of its publication', async () => {
    const { script, has, advance } = start()
    await has('first')
    script.keys = [exportPublicJwk(first), exportPublicJwk(second)]
    assert.equal(await has('second'), false)
    advance(30)
    assert.equal(await has('second'), true)
    assert.equal(await has('first'), true)
  })

  it('a token with an unknown kid does not delay tokens with a known kid', async () => {
    const stage = start()
    const { script, set, has, advance } = stage
    await has('first')
    const { promise, resolve: release } = Promise.withResolvers<Response>()
    script.instead = () => promise
    advance(30)
    const waiting = has('second')
    await set.seek('first', es256)
    assert.ok(set.find('first', es256))
    release(Response.json({ keys: [exportPublicJwk(first), exportPublicJwk(second)] }))
    assert.equal(await waiting, true)
  })

  it('if the clock was set back, a search for an unknown kid fetches without delay', async () => {
    const { script, has, advance } = start()
    await has('first')
    script.keys = [exportPublicJwk(second)]
    advance(-86_400)
    assert.equal(await has('second'), true)
  })
})

describe('a remote key set when a fetch fails', () => {
  for (const [name, answer] of failures) {
    it(`a key set keeps its keys and retries the fetch every 30 s if ${name}`, async () => {
      const { script, set, has, advance } = start()
      await has('first')
      const known = set.find('first', es256)
      script.instead = (url) => (url === script.jwksUri ? answer() : undefined)
      for (let seconds = 30; seconds <= 6000; seconds += 10) {
        advance(10)
        assert.equal(await has('second'), false)
        assert.equal(set.find('first', es256), known)
        assert.equal(script.fetches, Math.floor((seconds - 20) / 30) + 1)
      }
      assert.equal(set.state, 'stale')
      script.instead = undefined
      advance(30)
      await has('second')
      assert.deepEqual([set.state, set.find('first', es256)], ['current', known])
    })

    it(`a key set without keys throws 503 with a growing Retry-After if ${name}`, async () => {
      const { script, set, has, refusal, advance } = start()
      script.instead = (url) => (url === script.jwksUri ? answer() : undefined)
      let fetches = 0
      for (const seconds of [1, 2, 4, 8, 16, 30, 30, 30]) {
        const [code, retryAfter, detail] = await refusal('first')
        assert.deepEqual([code, retryAfter], ['temporarily_unavailable', seconds])
        assert.match(detail, /^the keys of https:\/\/auth\.example cannot be fetched: ./)
        if (name === 'the answer is 404')
          assert.match(detail, /\/jwks answered 404 instead of 200$/)
        assert.equal(script.fetches, ++fetches)
        advance(seconds - 0.5)
        assert.deepEqual((await refusal('first')).slice(0, 2), ['temporarily_unavailable', 1])
        assert.equal(script.fetches, fetches)
        advance(0.5)
      }
      assert.equal(set.state, 'starting')
      script.instead = undefined
      assert.equal(await has('first'), true)
      assert.equal(set.state, 'current')
    })
  }

  it('a key set fetches the metadata again after it could not fetch the keys', async () => {
    const { script, has, advance } = start()
    await has('first')
    const old = script.jwksUri
    script.jwksUri = `${script.issuer}/elsewhere`
    script.keys = [exportPublicJwk(second)]
    advance(30)
    assert.equal(await has('second'), false)
    assert.equal(script.asked.at(-1), old)
    advance(30)
    assert.equal(await has('second'), true)
  })

  it('a key set keeps using its old jwks_uri if a new fetch of the metadata fails', async () => {
    const broken: readonly (() => Response)[] = [
      () => new Response(null, { status: 500 }),
      () =>
        Response.json({ issuer: 'https://evil.example', jwks_uri: 'https://evil.example/jwks' }),
      () => Response.json({ issuer: 'https://auth.example', jwks_uri: 'http://evil.example/jwks' }),
    ]
    for (const answer of broken) {
      const { script, has, advance } = start()
      await has('first')
      script.instead = (url) => (url === script.metadataUrl ? answer() : undefined)
      script.keys = [exportPublicJwk(second)]
      advance(3600)
      assert.equal(await has('second'), true)
      assert.ok(!script.asked.some((url) => url.includes('evil')))
    }
  })

  it('a key set rejects with 503 if its first fetch of the metadata fails', async () => {
    const { script, refusal } = start()
    script.instead = () =>
      Response.json({ issuer: 'https://evil.example', jwks_uri: script.jwksUri })
    assert.match((await refusal('first'))[2], /it is "https:\/\/evil\.example"$/)
    assert.equal(script.fetches, 0)
  })
})

describe('a remote key set after its keys have expired', () => {
  it('expired keys are used until one background fetch has replaced them', async () => {
    const stage = start()
    const { script, set, has, advance } = stage
    await has('first')
    script.keys = [exportPublicJwk(second)]
    advance(299)
    assert.ok(set.find('first', es256))
    assert.equal(script.fetches, 1)
    advance(1)
    // Each search finds the old key, and does not wait for the running fetch.
    for (let i = 0; i < 10; i++) assert.ok(set.find('first', es256))
    await turn()
    assert.equal(script.fetches, 2)
    await settled(stage)
    assert.equal(script.fetches, 2)
    assert.equal(set.find('first', es256), undefined)
    assert.ok(set.find('second', es256))
  })

  it('in a Cloudflare Worker, a search waits for a fetch if the keys have expired', async (t) => {
    actAsWorker(t)
    const { script, set, has, advance } = start()
    await has('first')
    script.keys = [exportPublicJwk(second)]
    advance(300)
    assert.equal(set.find('first', es256), undefined)
    assert.equal(script.fetches, 1)
    assert.deepEqual([await has('first'), await has('second')], [false, true])
    assert.equal(script.fetches, 2)
  })

  it('in a Cloudflare Worker, a key set uses its expired keys if the fetch fails', async (t) => {
    actAsWorker(t)
    const { script, set, has, advance } = start()
    await has('first')
    script.instead = () => new Response('', { status: 500 })
    advance(300)
    assert.equal(await has('first'), true)
    assert.equal(set.state, 'stale')
    assert.ok(set.find('first', es256), 'no other fetch is allowed yet')
  })

  it('if a Worker drops a fetch, waiting searches get 503; the next one refetches', async (t) => {
    actAsWorker(t)
    const { script, has, refusal, advance } = start()
    await loseFetch(t, script, () => has('first'))
    const waiting = [refusal('first'), refusal('first')]
    t.mock.timers.tick(5_000)
    const cause = 'the request that started the fetch has ended'
    const detail = `the keys of ${script.issuer} cannot be fetched: ${cause}`
    for (const told of await Promise.all(waiting))
      assert.deepEqual(told, ['temporarily_unavailable', 1, detail])
    advance(1)
    assert.equal(await has('first'), true)
  })

  it('if a Worker drops a fetch, expired keys are replaced 30 s later', async (t) => {
    actAsWorker(t)
    const { script, set, has, advance } = start()
    await has('first')
    script.keys = [exportPublicJwk(second)]
    advance(300)
    await loseFetch(t, script, () => has('first'))
    advance(29)
    assert.ok(set.find('first', es256))
    advance(1)
    const found = has('first')
    t.mock.timers.tick(5_000)
    assert.deepEqual([await found, await has('second')], [false, true])
  })

  it('in a Cloudflare Worker, simultaneous searches for keys share one fetch', async (t) => {
    actAsWorker(t)
    const { script, has } = start()
    assert.deepEqual(await Promise.all([has('first'), has('first'), has('other')]), [
      true,
      true,
      false,
    ])
    assert.equal(script.fetches, 1)
  })

  it('a key set fetches its keys again after the clock is set back', async () => {
    const stage = start()
    const { script, set, has, advance } = stage
    await has('first')
    advance(-3600)
    assert.ok(set.find('first', es256))
    await turn()
    assert.ok(script.asked.length > 2)
    await settled(stage)
    assert.equal(script.fetches, 2)
  })

  const lifetimes: readonly (readonly [string | undefined, number])[] = [
    [undefined, 300],
    ['public, max-age=60', 60],
    ['max-age=600', 600],
    ['max-age=1', 30],
    ['max-age=0', 30],
    ['no-store', 30],
    ['max-age=3600', 3600],
    ['max-age=31536000', 3600],
    ['nonsense', 300],
  ]
  for (const [field, seconds] of lifetimes) {
    it(`keys expire after ${seconds} s if Cache-Control is ${field ?? 'absent'}`, async () => {
      const stage = start()
      const { script, set, has, advance } = stage
      if (field !== undefined) script.headers = { 'cache-control': field }
      await has('first')
      advance(seconds - 0.001)
      assert.ok(set.find('first', es256))
      await turn()
      assert.equal(script.fetches, 1)
      advance(0.001)
      assert.ok(set.find('first', es256))
      await turn()
      assert.ok(script.asked.length > 2)
      await settled(stage)
      assert.equal(script.fetches, 2)
    })
  }

  it('a key set is in state `stale` only if its keys expired and a fetch failed', async () => {
    const stage = start()
    const { script, set, has, advance } = stage
    await has('first')
    advance(400)
    assert.equal(set.state, 'current') // no token has started a fetch
    await settled(stage)
    script.instead = () => Promise.reject(new Error('down'))
    advance(30)
    await settled(stage)
    assert.equal(script.fetches, 3)
    assert.equal(set.state, 'current') // the keys are still fresh
    advance(270)
    assert.equal(set.state, 'stale')
    script.instead = undefined
    await settled(stage)
    assert.equal(set.state, 'current')
  })
})

describe('a remote key set that was fetched again', () => {
  const refreshWith = async (
    keys: readonly Jwk[],
  ): Promise<Stage & { readonly before: unknown }> => {
    const stage = start([first])
    await stage.has('first')
    const before = stage.set.find('first', es256)
    stage.script.keys = keys
    stage.advance(30)
    await settled(stage)
    assert.equal(stage.script.fetches, 2)
    return { ...stage, before }
  }

  it('after a refetch, a key set still returns the same object for an unchanged key', async () => {
    const { kty, crv, x, y, kid } = exportPublicJwk(first)
    const { set, before } = await refreshWith([
      exportPublicJwk(second),
      { y, x, crv, kid: kid!, kty: kty!, more: 1 },
    ])
    assert.equal(set.find('first', es256), before)
    assert.ok(set.find('second', es256))
  })

  it('after a refetch, a key set finds the new key if the issuer reused a kid', async () => {
    const { set, before } = await refreshWith([
      exportPublicJwk(generateKey('ES256', { keyId: 'first' })),
    ])
    const after = set.find('first', es256)
    assert.ok(after)
    assert.notEqual(after, before)
  })

  it('after a refetch, a key set finds a key only by its new kid and new algorithm', async () => {
    const rsa = generateKey('RS256', { keyId: 'rsa' })
    const stage = start([rsa])
    await stage.set.load()
    const before = stage.set.find('rsa', findAlgorithm('RS256')!)
    assert.ok(before)
    stage.script.keys = [{ ...exportPublicJwk(rsa), alg: 'PS256' }]
    stage.advance(30)
    await settled(stage)
    assert.equal(stage.set.find('rsa', findAlgorithm('RS256')!), undefined)
    assert.equal(stage.set.find('rsa', findAlgorithm('PS256')!)?.algorithm.name, 'PS256')
    stage.script.keys = [{ ...exportPublicJwk(rsa), alg: 'PS256', kid: 'renamed' }]
    stage.advance(30)
    await settled(stage)
    assert.equal(stage.set.find('rsa', findAlgorithm('PS256')!), undefined)
    assert.equal(stage.set.find('renamed', findAlgorithm('PS256')!)?.keyId, 'renamed')
  })

  it('after a refetch, a key set no longer has a key that the issuer removed', async () => {
    const { set } = await refreshWith([exportPublicJwk(second)])
    assert.equal(set.find('first', es256), undefined)
  })
})

describe('a remote key set and keys that it must not use', () => {
  const hs256 = findAlgorithm('HS256')!

  it('a remote key set uses public keys, but no shared secret', async () => {
    const { script, set, has } = start()
    const secret = exportPrivateJwk(generateKey('HS256', { keyId: 'secret' }))
    const { alg: _, ...nameless } = secret
    script.keys = [
      secret,
      { ...nameless, kid: 'other' },
      { kty: 'oct', kid: 'empty' },
      exportPublicJwk(first),
    ]
    assert.equal(await has('first'), true)
    for (const kid of ['secret', 'other', undefined]) assert.equal(set.find(kid, hs256), undefined)
  })

  it('a remote key set ignores a key if its private part is published too', async () => {
    const rsa = exportPrivateJwk(generateKey('RS256', { keyId: 'second' }))
    const { n, e, kty, alg, kid, use } = rsa
    const published: readonly Jwk[] = [
      exportPrivateJwk(second),
      exportPrivateJwk(generateKey('Ed25519', { keyId: 'second' })),
      rsa,
      ...['d', 'p', 'q', 'dp', 'dq', 'qi'].map(
        (name) => ({ n, e, kty, alg, kid, use, [name]: rsa[name] }) as Jwk,
      ),
      { ...exportPublicJwk(second), k: 'AAAA' },
      { ...exportPublicJwk(second), oth: [] },
    ]
    for (const jwk of published) {
      const { script, set, has } = start()
      script.keys = [jwk, exportPublicJwk(first)]
      assert.equal(await has('first'), true)
      for (const name of ['ES256', 'RS256', 'Ed25519'] as const)
        assert.equal(set.find('second', findAlgorithm(name)!), undefined, JSON.stringify(jwk))
    }
  })

  it('a remote key set ignores a public key with the alg HS256', async () => {
    const { script, set, has } = start()
    script.keys = [{ ...exportPublicJwk(second), alg: 'HS256' }, exportPublicJwk(first)]
    assert.equal(await has('first'), true)
    assert.equal(set.find('second', hs256), undefined)
    assert.equal(set.find('second', es256), undefined)
  })

  it('a remote key set ignores a key if its `use` is encryption', async () => {
    const { script, has } = start()
    script.keys = [{ ...exportPublicJwk(second), use: 'enc' }, exportPublicJwk(first)]
    assert.deepEqual([await has('first'), await has('second')], [true, false])
  })
})

describe('load()', () => {
  it('remoteJwkSet.load() fetches the keys once, even if it is called several times', async () => {
    const { script, set, advance } = start()
    await Promise.all([set.load(), set.load()])
    assert.equal(set.state, 'current')
    advance(3600)
    await set.load()
    assert.equal(script.fetches, 1)
  })

  it('remoteJwkSet.load() rejects if the fetch fails; a later call can succeed', async () => {
    const { script, set, advance } = start()
    script.instead = () => Promise.reject(new Error('connection refused'))
    const rejected = (error: Error): boolean => {
      assert.match(
        error.message,
        /the keys of https:\/\/auth\.example cannot be fetched: .* cannot be reached/,
      )
      assert.equal((((error.cause as Error).cause as Error) ?? {}).message, 'connection refused')
      return true
    }
    await assert.rejects(set.load(), rejected)
    await assert.rejects(set.load(), rejected) // the next fetch may start after 1 s
    assert.equal(script.asked.length, 1)
    script.instead = undefined
    advance(1)
    await set.load()
  })
})

describe('a remote key set whose issuer does not answer', () => {
  const never = (): Promise<Response> => new Promise(() => {})

  it('a key set ends a fetch after 5 s, even if the fetch ignores the abort signal', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { script, refusal } = start()
    let signal: AbortSignal | null | undefined
    script.instead = (_, init) => {
      signal = init.signal
      return never()
    }
    const refused = refusal('first')
    await turn()
    t.mock.timers.tick(4_999)
    await turn()
    assert.equal(signal?.aborted, false)
    t.mock.timers.tick(1)
    assert.match((await refused)[2], /no answer within 5 s/)
    assert.equal(signal?.aborted, true)
  })

  it('a fetch is aborted after 5 s if the response body does not end', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { script, refusal } = start()
    script.instead = (url) =>
      url === script.jwksUri ? new Response(new ReadableStream()) : undefined
    const refused = refusal('first')
    while (script.fetches === 0) await turn()
    t.mock.timers.tick(5_000)
    assert.match((await refused)[2], /no answer within 5 s/)
  })

  it('if the issuer hangs, a key set fetches once in 30 s; known keys stay usable', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { script, set, has, advance } = start()
    await has('first')
    script.instead = never
    advance(300)
    for (let i = 0; i < 10; i++) assert.ok(set.find('first', es256))
    const waiting = has('unknown')
    await turn()
    assert.equal(script.fetches, 2)
    t.mock.timers.tick(5_000)
    assert.equal(await waiting, false)
    assert.equal(await has('unknown'), false)
    assert.equal(script.fetches, 2)
  })

  it('if a fetch of metadata times out, the next fetch requests only the keys', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { script, has, advance } = start()
    await has('first')
    script.keys = [exportPublicJwk(second)]
    script.instead = (url) => (url === script.metadataUrl ? never() : undefined)
    advance(3600)
    const waiting = has('second')
    await turn()
    t.mock.timers.tick(5_000)
    assert.equal(await waiting, false)
    advance(30)
    assert.equal(await has('second'), true)
  })

  it('the timer of a fetch keeps no process running, and is cleared after the fetch', async (t) => {
    const timers = new Set<NodeJS.Timeout>()
    const real = globalThis.setTimeout
    t.mock.method(globalThis, 'setTimeout', (...args: Parameters<typeof setTimeout>) => {
      const timer = real(...args)
      timers.add(timer)
      return timer
    })
    const cleared = mock.method(globalThis, 'clearTimeout')
    const { has } = start()
    await has('first')
    assert.equal(timers.size, 1)
    for (const timer of timers) {
      assert.equal(timer.hasRef(), false)
      assert.ok(cleared.mock.calls.some(({ arguments: [given] }) => given === timer))
    }
    cleared.mock.restore()
  })
})

describe('close()', () => {
  it('remoteJwkSet.close() aborts a running fetch and allows no new fetch', async () => {
    const { script, set, refusal, advance } = start()
    let signal: AbortSignal | null | undefined
    script.instead = (_, init) => {
      signal = init.signal
      return new Promise(() => {})
    }
    const refused = refusal('first')
    await turn()
    set.close()
    set.close()
    assert.equal((await refused)[0], 'temporarily_unavailable')
    assert.equal(signal?.aborted, true)
    script.instead = undefined
    advance(3600)
    assert.equal((await refusal('first'))[0], 'temporarily_unavailable')
    await assert.rejects(set.load(), /closed/)
    assert.equal(script.asked.length, 1)
  })

  it('a key set rejects with 503 if it was closed before its first fetch', async () => {
    const { script, set, refusal } = start()
    set.close()
    assert.deepEqual((await refusal('first')).slice(0, 2), ['temporarily_unavailable', 1])
    await assert.rejects(set.load(), /closed/)
    assert.deepEqual(script.asked, [])
  })
})

it('each remote key set finds only the keys of its own issuer', async () => {
  const [a, b] = [
    scriptIssuer([first], 'https://a.example'),
    scriptIssuer([second], 'https://b.example'),
  ]
  const clock = { now: () => 0 }
  const [ofA, ofB] = [a, b].map(({ issuer }) =>
    createRemoteJwkSet({ issuer, fetch: fetchFrom(a, b), clock }),
  )
  await Promise.all([ofA!.load(), ofB!.load()])
  assert.ok(ofA!.find('first', es256) && ofB!.find('second', es256))
  assert.equal(ofA!.find('second', es256) ?? ofB!.find('first', es256), undefined)
})
