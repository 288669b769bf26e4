import assert from 'node:assert/strict'
import { createHmac, createPublicKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { importVector } from '../../test-support/vectors.ts'
import { assertWhy, type Why } from '../../test-support/why.ts'
import { toBase64url } from '../base/bytes.ts'
import { TokenError } from '../base/errors.ts'
import { listAlgorithmNames } from '../keys/algorithm.ts'
import { generateKey } from '../keys/generate-key.ts'
import { importKey } from '../keys/import-key.ts'
import { importJwkSet, keySetOf } from '../keys/jwk-set.ts'
import { exportPublicJwk, type Jwk } from '../keys/jwk.ts'
import { keyObjectOf } from '../keys/key-object.ts'
import { signJws, maxTokenBytes, parseJws, verifyJws } from './jws.ts'

const key = generateKey('ES256')
const keys = keySetOf([key])
const kid = key.keyId
const good = signJws({ alg: 'ES256', kid }, '{"sub":"alice"}', key)
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.')

/** Makes a token from any header, payload and signature, as an attacker can. */
const forge = (
  header: object | string,
  signature = goodSignature,
  payload = '{"sub":"mallory"}',
): string =>
  [typeof header === 'string' ? header : JSON.stringify(header), payload]
    .map(toBase64url)
    .join('.') + `.${signature}`

const hmacForge = (header: object, secret: Uint8Array | string): string => {
  const unsigned = forge(header, '')
  return unsigned + createHmac('sha256', secret).update(unsigned.slice(0, -1)).digest('base64url')
}

/** Asserts a refusal: the caller sees only "Invalid token", the log has the reason. */
function refuses(act: () => unknown, why?: Why): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof TokenError, String(error))
    assert.equal(error.code, 'invalid_token')
    assert.equal(error.message, 'Invalid token')
    if (why !== undefined) assertWhy(error, why)
    return true
  })
}

describe('parseJws', () => {
  it('parseJws reads a token without checking its signature (RFC 7515 §5.2)', () => {
    const parsed = parseJws(forge({ alg: 'ES256', kid: 'k' }))
    assert.equal(parsed.algorithm.name, 'ES256')
    assert.equal(parsed.keyId, 'k')
    assert.equal(parsed.payload.toString(), '{"sub":"mallory"}')
  })

  const otherCounts = [
    '',
    'a',
    good.replaceAll('.', ''),
    `${goodHeader}.${goodPayload}`,
    `${good}.`,
    `.${good}`,
  ]
  for (const token of [...otherCounts, `${good}.AA`, `${good}.AA.AA`, '....']) {
    it(`parseJws refuses ${token.split('.').length} segment(s): "${token.slice(0, 9)}"`, () => {
      refuses(() => parseJws(token), /not three segments/)
    })
  }

  it('parseJws refuses an encrypted token (JWE), which has five segments (RFC 7516 §3.1)', () => {
    const jwe = `${toBase64url('{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT"}')}.AAAA.AAAA.AAAA.AAAA`
    refuses(() => parseJws(jwe), /not three segments/)
  })

  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    'noNE',
    'hs256',
    'Es256',
    'ES256 ',
    ' ES256',
    'RS1',
    'ES521',
    '',
  ]) {
    it(`parseJws refuses alg ${JSON.stringify(alg)}, an unknown name (RFC 8725 §3.1)`, () => {
      for (const signature of ['', goodSignature]) {
        refuses(() => parseJws(forge({ alg, kid }, signature)), 'unknown_algorithm')
      }
    })
  }

  for (const alg of [
    undefined,
    null,
    256,
    ['ES256'],
    { name: 'ES256' },
    true,
    '__proto__',
    'constructor',
    'toString',
  ]) {
    it(`parseJws refuses alg ${JSON.stringify(alg)}`, () => {
      refuses(() => parseJws(forge({ alg, kid })), 'unknown_algorithm')
    })
  }

  it('parseJws refuses the header of an encrypted token with p2c and zip (RFC 8725 §3.13)', () => {
    const header = {
      alg: 'PBES2-HS256+A128KW',
      enc: 'A128CBC-HS256',
      p2c: 2_147_483_647,
      p2s: 'AAAA',
      zip: 'DEF',
    }
    refuses(() => parseJws(forge(header)), 'unknown_algorithm')
  })

  const crits = [
    ['exp'],
    ['b64'],
    ['http://example/x'],
    [],
    null,
    'exp',
    {},
    0,
    false,
    [null],
    ['exp', 'exp'],
  ]
  for (const crit of crits) {
    it(`verifyJws refuses a header with crit ${JSON.stringify(crit)} (RFC 7515 §4.1.11)`, () => {
      const token = signJws({ alg: 'ES256', kid, crit, exp: 0, b64: true }, '{}', key)
      refuses(() => verifyJws(token, keys), 'unknown_extension')
    })
  }

  for (const badKid of [1, null, ['k'], {}, true]) {
    it(`parseJws refuses kid ${JSON.stringify(badKid)}: not a string (RFC 7515 §4.1.4)`, () => {
      refuses(() => parseJws(forge({ alg: 'ES256', kid: badKid })), /"kid" is not a string/)
    })
  }

  const headers: readonly [string, string | Buffer, RegExp][] = [
    ['that is empty', '', /not JSON/],
    ['that is not JSON', '{', /not JSON/],
    ['that is an array', '["ES256"]', /not a JSON object/],
    ['that is a string', '"ES256"', /not a JSON object/],
    ['that is null', 'null', /not a JSON object/],
    ['with a byte order mark', '\ufeff{"alg":"ES256"}', /not JSON/],
    ['that is not UTF-8', Buffer.from('7b22616c67223a22ff227d', 'hex'), /not UTF-8/],
    ['with alg twice', '{"alg":"none","alg":"ES256"}', /member appears twice/],
    [
      'with alg twice in two spellings',
      '{"alg":"none","\\u0061lg":"ES256"}',
      /member appears twice/,
    ],
  ]
  for (const [name, header, reason] of headers) {
    it(`parseJws refuses a header ${name}`, () => {
      refuses(() => parseJws(`${toBase64url(header)}.${goodPayload}.${goodSignature}`), reason)
    })
  }

  it('parseJws refuses a segment that is not canonical base64url (RFC 4648 §3.5)', () => {
    const spoiled = [' ', '\n', '=', '==', '+', '/', '%20', '\u00e9', '?', '\0']
    for (const segment of [0, 1, 2]) {
      for (const extra of spoiled) {
        const parts = [goodHeader, goodPayload, goodSignature]
        parts[segment] += extra
        refuses(() => parseJws(parts.join('.')), /not canonical base64url/)
        parts[segment] = extra + [goodHeader, goodPayload, goodSignature][segment]
        refuses(() => parseJws(parts.join('.')), /not canonical base64url/)
      }
    }
  })

  it('verifyJws refuses a changed last character even if the decoded bytes are the same', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const bytes = Buffer.from(goodSignature, 'base64url')
    const twins = alphabet
      .split('')
      .map((last) => good.slice(0, -1) + last)
      .filter((token) => token !== good)
    const same = twins.filter((token) =>
      Buffer.from(token.split('.')[2] ?? '', 'base64url').equals(bytes),
    )
    assert.equal(same.length, 15) // 64 bytes leave 4 bits unused
    for (const token of same) refuses(() => verifyJws(token, keys), /not canonical base64url/)
  })

  it('parseJws accepts a token of 16,384 characters, and refuses 16,385 as token_too_long', () => {
    const tokenOf = (length: number): string => {
      const room = length - goodHeader.length - goodSignature.length - 2
      return `${goodHeader}.${'A'.repeat(room)}.${goodSignature}`
    }
    assert.equal(maxTokenBytes, 16_384)
    const longest = [16_384, 16_383]
      .map(tokenOf)
      .find((token) => token.split('.')[1]!.length % 4 !== 1)
    assert.equal(parseJws(longest ?? '').payload.length > 12_000, true)
    refuses(() => parseJws(tokenOf(16_385)), 'token_too_long')
    refuses(() => parseJws('a'.repeat(1_000_000)), 'token_too_long')
  })

  it('parseJws refuses a value that is not a string', () => {
    const values: readonly unknown[] = [undefined, null, 1, {}, [good], Buffer.from(good)]
    for (const value of values) refuses(() => parseJws(value as string), /not a string/)
  })
})

describe('verifyJws', () => {
  it('verifyJws returns the header, the payload and the key that signed them', () => {
    const verified = verifyJws(good, keys)
    assert.deepEqual(verified.header, { alg: 'ES256', kid })
    assert.equal(verified.payload.toString(), '{"sub":"alice"}')
    assert.equal(verified.key, key)
  })

  it('verifyJws refuses a changed header, payload or signature, and a wrong key', () => {
    const other = generateKey('ES256', kid === undefined ? {} : { keyId: kid })
    refuses(
      () =>
        verifyJws(forge({ alg: 'ES256', kid, extra: 1 }, goodSignature, '{"sub":"alice"}'), keys),
      'wrong_signature',
    )
    refuses(() => verifyJws(forge({ alg: 'ES256', kid }), keys), 'wrong_signature')
    refuses(
      () => verifyJws(signJws({ alg: 'ES256', kid }, '{"sub":"alice"}', other), keys),
      'wrong_signature',
    )
    for (let byte = 0; byte < 64; byte++) {
      const changed = Buffer.from(goodSignature, 'base64url')
      changed[byte]! ^= 1
      refuses(
        () => verifyJws(`${goodHeader}.${goodPayload}.${toBase64url(changed)}`, keys),
        'wrong_signature',
      )
    }
  })

  it('verifyJws refuses an empty, short, long, zero or DER signature (RFC 7518 §3.4)', () => {
    const raw = Buffer.from(goodSignature, 'base64url')
    const der = Buffer.concat([
      Buffer.from([0x30, 68, 2, 32]),
      raw.subarray(0, 32),
      Buffer.from([2, 32]),
      raw.subarray(32),
    ])
    const wrong = [
      Buffer.alloc(0),
      raw.subarray(1),
      raw.subarray(0, 63),
      Buffer.concat([raw, raw]),
      Buffer.alloc(64),
      der,
    ]
    for (const signature of wrong) {
      refuses(
        () => verifyJws(`${goodHeader}.${goodPayload}.${toBase64url(signature)}`, keys),
        'wrong_signature',
      )
    }
  })

  const algorithms = listAlgorithmNames()
  const everyKey = new Map(algorithms.map((name) => [name, generateKey(name, { keyId: 'one' })]))
  for (const name of algorithms) {
    it(`verifyJws accepts a ${name} key only for the key’s own algorithm (RFC 8725 §3.1)`, () => {
      const own = everyKey.get(name)!
      const token = (alg: string): string => signJws({ alg, kid: 'one' }, '{}', own)
      assert.equal(verifyJws(token(name), keySetOf([own])).key, own)
      const twin = ['EdDSA', 'Ed25519'].includes(name) ? ['EdDSA', 'Ed25519'] : [name]
      for (const other of algorithms.filter((other) => !twin.includes(other))) {
        refuses(() => verifyJws(token(other), keySetOf([own])), 'unknown_key')
      }
      const empty = `${token(name).split('.').slice(0, 2).join('.')}.`
      refuses(() => verifyJws(empty, keySetOf([own])), 'wrong_signature')
    })
  }

  it('verifyJws accepts EdDSA and Ed25519 as names of one algorithm (RFC 9864 §2.2)', () => {
    const edwards = everyKey.get('EdDSA')!
    for (const alg of ['EdDSA', 'Ed25519']) {
      assert.equal(
        verifyJws(signJws({ alg, kid: 'one' }, '{}', edwards), keySetOf([edwards])).key,
        edwards,
      )
    }
  })

  it('verifyJws accepts only the listed algorithms, whatever keys the key set has', () => {
    assert.equal(verifyJws(good, keys, ['RS256', 'ES256']).key, key)
    refuses(() => verifyJws(good, keys, ['RS256']), 'forbidden_algorithm')
    refuses(() => verifyJws(good, keys, []), 'forbidden_algorithm')
  })

  it('verifyJws refuses an HMAC made with a public key as the secret (RFC 8725 §2.1)', () => {
    const rsa = generateKey('RS256', { keyId: 'rsa' })
    const publicKey = createPublicKey(
      keyObjectOf(rsa.verifyingKey).export({ type: 'spki', format: 'pem' }),
    )
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' })
    const der = publicKey.export({ type: 'spki', format: 'der' })
    const jwk = exportPublicJwk(rsa)
    const spellings: readonly (string | Uint8Array)[] = [
      pem,
      pem.trim(),
      pem.replaceAll('\n', '\r\n'),
      pem.replaceAll('\n', ''),
      pem.replace(/-----.*?-----\n/g, ''),
      pem.replace(/-----.*?-----|\n/g, ''),
      pkcs1,
      pkcs1.trim(),
      der,
      publicKey.export({ type: 'pkcs1', format: 'der' }),
      der.toString('hex'),
      der.toString('base64url'),
      JSON.stringify(jwk),
      JSON.stringify({ keys: [jwk] }),
      String(jwk['n']),
      Buffer.from(String(jwk['n']), 'base64url'),
      '',
    ]
    for (const secret of spellings) {
      for (const header of [
        { alg: 'HS256', kid: 'rsa' },
        { alg: 'HS256' },
        { alg: 'HS256', kid: 'other' },
      ]) {
        refuses(() => verifyJws(hmacForge(header, secret), keySetOf([rsa])), 'unknown_key')
        refuses(
          () => verifyJws(hmacForge(header, secret), importJwkSet({ keys: [jwk] })),
          'unknown_key',
        )
      }
    }
  })

  const tricks = [
    '../../../../dev/null',
    '/proc/sys/kernel/randomize_va_space',
    "x' UNION SELECT 'secret'--",
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    '0',
    '\0',
    'https://attacker.example/key',
    '$(id)',
    '*',
  ]
  for (const trick of tricks) {
    it(`verifyJws finds no key for kid ${JSON.stringify(trick)} (RFC 8725 §3.10)`, () => {
      refuses(
        () => verifyJws(signJws({ alg: 'ES256', kid: trick }, '{}', key), keys),
        'unknown_key',
      )
      refuses(() => verifyJws(hmacForge({ alg: 'HS256', kid: trick }, ''), keys), 'unknown_key')
    })
  }

  it('verifyJws uses no key and no URL from the token’s header (RFC 8725 §3.10)', async (t) => {
    let hits = 0
    const listener = createServer((_, response) => {
      hits++
      response.end('{}')
    })
    t.after(() => listener.close())
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`
    const own = generateKey('ES256', { keyId: 'mallory' })
    const jwk: Jwk = exportPublicJwk(own)
    const offers = [
      { jwk },
      { jku: url },
      { x5u: url },
      { x5c: ['MIIB'] },
      { jwk, jku: url, x5u: url, 'x5t#S256': 'x' },
    ]
    for (const offer of offers) {
      for (const named of [{}, { kid }, { kid: 'mallory' }]) {
        const why = named.kid === 'mallory' ? 'unknown_key' : 'wrong_signature'
        refuses(
          () => verifyJws(signJws({ alg: 'ES256', ...named, ...offer }, '{}', own), keys),
          why,
        )
      }
    }
    // The listener counts requests. A request of the verifier would have arrived before this fetch.
    await (await fetch(url)).text()
    assert.equal(hits, 1)
  })

  it('verifyJws ignores header members that it does not use (RFC 7515 §4)', () => {
    const token = signJws(
      { alg: 'ES256', kid, jku: 'http://127.0.0.1:1/', zip: 'DEF', p2c: 9e9 },
      '{}',
      key,
    )
    assert.equal(verifyJws(token, keys).key, key)
  })

  it('verifyJws refuses both tokens of the advisory about SSH keys (CVE-2022-29217)', () => {
    const file = new URL(
      '../../../../test/conformance/vectors/upstream-tests/pyjwt-GHSA-ffqj-6fqr-9h24.json',
      import.meta.url,
    )
    const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
      vectors: { key: string; bad: string }[]
    }
    assert.equal(vectors.length, 2)
    for (const { key: ssh, bad } of vectors) {
      refuses(() => verifyJws(bad, keys), 'unknown_key')
      assert.throws(() => importKey({ secret: ssh, algorithm: 'HS256' }), TypeError)
    }
  })

  it('verifyJws accepts the signed examples in RFC 7515, 7520 and 8037', () => {
    const file = new URL(
      '../../../../test/conformance/vectors/rfc-vectors/jws-and-thumbprints.json',
      import.meta.url,
    )
    const examples = JSON.parse(readFileSync(file, 'utf8')) as {
      jws: { alg: string; jwk?: Jwk; jws: string }[]
    }
    let proved = 0
    for (const { alg, jwk, jws } of examples.jws) {
      if (jwk)
        proved +=
          verifyJws(jws, keySetOf([importVector({ ...jwk, alg })])).key.algorithm.name === alg
            ? 1
            : 0
      else refuses(() => parseJws(jws), 'unknown_algorithm')
    }
    assert.equal(proved, 8)
  })

  it('verifyJws throws a TokenError for each of 2,000 random tokens', () => {
    for (let i = 0; i < 2_000; i++) {
      const noise = randomBytes(3).toString('base64url')
      refuses(() => verifyJws([goodHeader, i % 2 ? noise : goodPayload, noise].join('.'), keys))
      refuses(() => verifyJws(`${noise}.${noise}.${noise}`, keys))
    }
  })
})
