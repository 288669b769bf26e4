import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { listAlgorithmNames, type AlgorithmName } from './algorithm.ts'
import { generateKey } from './generate-key.ts'
import { importKey, type KeySource } from './import-key.ts'
import { exportPrivateJwk, exportPublicJwk, thumbprint, type Jwk } from './jwk.ts'
import type { KeyMaterial } from './key-material.ts'
import { keyObjectOf } from './key-object.ts'
import { sign, verify } from './signature.ts'
import { canSign, type SigningKey, type VerificationKey } from './signing-key.ts'

const vectors = (path: string): string =>
  readFileSync(new URL(`../../../../test/conformance/vectors/${path}`, import.meta.url), 'utf8')

const data = Buffer.from('what is signed')
const asymmetric = listAlgorithmNames().filter((name) => !name.startsWith('HS'))
const generated: ReadonlyMap<AlgorithmName, SigningKey> = new Map(
  asymmetric.map((name) => [name, generateKey(name)]),
)
const rsa = generated.get('RS256')!
const ec = generated.get('ES256')!
const edwards = generated.get('EdDSA')!

/** A self-signed certificate that belongs to no server. */
const certificate = [
  'MIIBbzCCARWgAwIBAgIUXRuGXn+2kaeekmoU/zNWFaVIXlcwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAgFw0yNjExMjUxMzI0',
  'NTNaGA8yMTI2MTEwMTEzMjQ1M1owDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBN+gRQgDxGKQ74ahSzQ',
  'Q5PqIQwb5dQd9MbqykdV8zaW3OJjib2Qo4TLK2JSL1vD48xd4K1gqc6jJZOFQh9KYqejUzBRMB0GA1UdDgQWBBQbMFlY6M0ibZTX',
  'VutB6pAVg1TnqTAfBgNVHSMEGDAWgBQbMFlY6M0ibZTXVutB6pAVg1TnqTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA',
  'MEUCIQDZDJkeuaPtkmHNXDDcULgUw8RhBFWZbqmsF1g62IQTDQIgIM7I1y2bqhaWDISVF41qeJZWDapC5ZY03lyP/9wiaTY=',
].join('')

function refuses(source: unknown, reason: RegExp): void {
  assert.throws(
    () => importKey(source as KeySource),
    (error) => {
      assert.ok(error instanceof TypeError, String(error))
      assert.match(error.message, reason)
      return true
    },
  )
}

const works = (signer: VerificationKey, verifier: VerificationKey): boolean =>
  canSign(signer) && verify(verifier, data, sign(signer, data))

describe('generateKey', () => {
  for (const name of asymmetric) {
    it(`generateKey uses the thumbprint of a ${name} key as its keyId`, () => {
      const key = generated.get(name)!
      assert.equal(key.algorithm.name, name)
      assert.equal(key.keyId, thumbprint(exportPublicJwk(key)))
    })
  }

  it('generateKey uses the given keyId instead of the thumbprint', () => {
    assert.equal(generateKey('ES256', { keyId: 'mine' }).keyId, 'mine')
    assert.equal(generateKey('HS256', { keyId: 'mine' }).keyId, 'mine')
  })

  it('generateKey makes RSA keys of 2048 bits, and secrets as long as the hash (RFC 7518)', () => {
    const lengths = (['HS256', 'HS384', 'HS512'] as const).map(
      (name) => keyObjectOf(generateKey(name).verifyingKey).symmetricKeySize,
    )
    assert.deepEqual(lengths, [32, 48, 64])
    assert.equal(keyObjectOf(rsa.verifyingKey).asymmetricKeyDetails?.modulusLength, 2048)
  })

  it('generateKey makes a new key each time', () => {
    for (const name of ['HS256', 'ES256', 'EdDSA'] as const)
      assert.equal(works(generateKey(name), generateKey(name)), false)
  })

  for (const name of ['none', 'hs256', '', undefined, null, '__proto__']) {
    it(`generateKey refuses the algorithm ${JSON.stringify(name)}`, () => {
      assert.throws(
        () => generateKey(name as AlgorithmName),
        /a key's algorithm must be one of HS256, HS384, HS512, /,
      )
    })
  }
})

describe('exportPublicJwk and exportPrivateJwk, read again by importKey', () => {
  for (const name of listAlgorithmNames()) {
    it(`importKey reads the JWK that exportPrivateJwk writes for a ${name} key`, () => {
      const key = generateKey(name, { keyId: 'k' })
      const jwk = exportPrivateJwk(key)
      assert.deepEqual([jwk.alg, jwk.kid, jwk.use], [name, 'k', 'sig'])
      assert.ok(works(importKey(jwk), key))
      assert.deepEqual(exportPrivateJwk(importKey(JSON.parse(JSON.stringify(jwk)))), jwk)
    })
  }

  for (const name of asymmetric) {
    it(`exportPublicJwk writes no private part of a ${name} key`, () => {
      const key = generated.get(name)!
      const jwk = exportPublicJwk(key)
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
        assert.equal(jwk[member], undefined, member)
      assert.ok(works(key, importKey(jwk)))
      assert.equal(canSign(importKey(jwk)), false)
    })
  }

  it('exportPublicJwk adds no kid if the key has no keyId', () => {
    const { kid: _, ...unnamed } = exportPublicJwk(ec)
    assert.deepEqual(exportPublicJwk(importKey(unnamed)), unnamed)
  })

  it('exportPublicJwk adds no member without a value', () => {
    assert.ok(!Object.values(exportPublicJwk(ec)).includes(undefined))
  })

  it('exportPublicJwk refuses a secret, and exportPrivateJwk refuses a public key', () => {
    assert.throws(() => exportPublicJwk(generateKey('HS256')), /no public half/)
    assert.throws(() => exportPrivateJwk(importKey(exportPublicJwk(ec))), /this is a public key/)
  })
})

describe('thumbprint()', () => {
  it('thumbprint() returns the values in RFC 7638 §3.1, RFC 8037 A.3 and RFC 9449', () => {
    const { thumbprints } = JSON.parse(vectors('rfc-vectors/jws-and-thumbprints.json')) as {
      thumbprints: { jwk: Jwk; thumbprint: string }[]
    }
    assert.equal(thumbprints.length, 3)
    for (const example of thumbprints) assert.equal(thumbprint(example.jwk), example.thumbprint)
  })

  it('thumbprint() ignores all members except the required ones (RFC 7638 §3.2)', () => {
    for (const key of [rsa, ec, edwards]) {
      const { kid: _, alg: __, use: ___, ...bare } = exportPublicJwk(key)
      assert.equal(thumbprint({ x5t: 'x', ...exportPrivateJwk(key) }), thumbprint(bare))
    }
    const secret = { kty: 'oct', k: 'AAAA' }
    assert.equal(thumbprint({ ...secret, kid: 'a' }), thumbprint(secret))
    assert.notEqual(thumbprint({ kty: 'oct', k: 'AAAB' }), thumbprint(secret))
  })

  it('thumbprint() refuses a JWK if a required member is missing', () => {
    for (const jwk of [
      {},
      { kty: 'foo' },
      { kty: 'EC', crv: 'P-256', x: 'AA' },
      { kty: 'RSA', n: 'AA' },
      { kty: 'oct' },
    ]) {
      assert.throws(() => thumbprint(jwk), TypeError)
    }
    assert.throws(() => thumbprint({ kty: 'foo' }), /kty EC, OKP, RSA or oct/)
    assert.throws(() => thumbprint({ kty: 'oct' }), /the JWK must have a "k"/)
  })
})

describe('importKey of a JWK', () => {
  it('importKey needs `alg` in the JWK of a secret and of most RSA keys (RFC 8725 §3.1)', () => {
    const withoutAlg = (jwk: Jwk): Jwk => {
      const { alg: _, ...rest } = jwk
      return rest
    }
    for (const name of ['ES256', 'ES384', 'ES512', 'EdDSA'] as const) {
      assert.equal(importKey(withoutAlg(exportPublicJwk(generateKey(name)))).algorithm.name, name)
    }
    const { use: _, ...withoutUse } = withoutAlg(exportPublicJwk(rsa))
    refuses(withoutUse, /must have an "alg"/)
    refuses({ ...withoutUse, use: 'enc' }, /must have an "alg"/)
    refuses(withoutAlg(exportPrivateJwk(generateKey('HS256'))), /must have an "alg"/)
  })

  it('importKey uses RS256 for an RSA signing key without `alg` (Entra ID has such keys)', () => {
    const { alg: _, ...jwk } = exportPublicJwk(rsa)
    assert.equal(importKey(jwk).algorithm.name, 'RS256')
  })

  const wrong: readonly [string, unknown, RegExp][] = [
    ['undefined', undefined, /a key must be a JWK/],
    ['null', null, /a key must be a JWK/],
    ['text', 'secret', /a key must be a JWK/],
    ['an empty object', {}, /must have an "alg"/],
    ['alg none', { ...exportPublicJwk(ec), alg: 'none' }, /algorithm must be one of/],
    ['alg in another case', { ...exportPublicJwk(ec), alg: 'es256' }, /algorithm must be one of/],
    [
      'alg that is not a string',
      { ...exportPublicJwk(ec), alg: ['ES256'] },
      /algorithm must be one of/,
    ],
    ['alg null', { ...exportPublicJwk(ec), alg: null }, /algorithm must be one of/],
    ['alg of another curve', { ...exportPublicJwk(ec), alg: 'ES384' }, /kty EC and crv P-384/],
    ['alg of another type', { ...exportPublicJwk(ec), alg: 'RS256' }, /kty RSA$/],
    ['a public key as HS256', { ...exportPublicJwk(rsa), alg: 'HS256' }, /kty oct/],
    ['a secret as RS256', { kty: 'oct', k: 'A'.repeat(43), alg: 'RS256' }, /kty RSA$/],
    ['a JWK without kty', { ...exportPublicJwk(ec), kty: undefined }, /kty EC/],
    ['RSA with a curve', { ...exportPublicJwk(rsa), crv: 'P-256' }, /kty RSA/],
    ['use enc', { ...exportPublicJwk(ec), use: 'enc' }, /"use": "sig"/],
    ['use that is not a string', { ...exportPublicJwk(ec), use: ['sig'] }, /"use": "sig"/],
    ['use null', { ...exportPublicJwk(ec), use: null }, /"use": "sig"/],
    [
      'key_ops for encryption',
      { ...exportPublicJwk(rsa), key_ops: ['encrypt', 'wrapKey'] },
      /"key_ops"/,
    ],
    ['key_ops for key agreement', { ...exportPublicJwk(ec), key_ops: ['deriveBits'] }, /"key_ops"/],
    [
      'key_ops that is text',
      { ...exportPublicJwk(ec), key_ops: 'verify' },
      /"key_ops" must be an array/,
    ],
    ['an empty kid', { ...exportPublicJwk(ec), kid: '' }, /"kid"/],
    ['a kid that is not a string', { ...exportPublicJwk(ec), kid: 1 }, /"kid"/],
    ['a kid null', { ...exportPublicJwk(ec), kid: null }, /"kid"/],
    ['a JWK without x', { ...exportPublicJwk(ec), x: undefined }, /"x" of the JWK/],
    ['a JWK without y', { ...exportPublicJwk(ec), y: undefined }, /"y" of the JWK/],
    ['a JWK without n', { ...exportPublicJwk(rsa), n: undefined }, /"n" of the JWK/],
    ['a JWK without e', { ...exportPublicJwk(rsa), e: undefined }, /"e" of the JWK/],
    [
      'x with padding',
      { ...exportPublicJwk(ec), x: `${String(exportPublicJwk(ec)['x'])}=` },
      /"x" of the JWK/,
    ],
    [
      'x with a space',
      { ...exportPublicJwk(ec), x: ` ${String(exportPublicJwk(ec)['x'])}` },
      /"x" of the JWK/,
    ],
    ['x that is not a string', { ...exportPublicJwk(ec), x: 1 }, /"x" of the JWK/],
    ['d that is not base64url', { ...exportPrivateJwk(ec), d: '?' }, /"d" of the JWK/],
    [
      'a point that is not on its curve',
      { ...exportPublicJwk(ec), y: exportPublicJwk(generateKey('ES256'))['y'] },
      /not a valid ES256 key/,
    ],
    [
      'the point at zero',
      { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) },
      /not a valid ES256 key/,
    ],
    [
      'RSA with d, but without p and q',
      { ...exportPublicJwk(rsa), d: exportPrivateJwk(rsa)['d'] },
      /not a valid RS256 key/,
    ],
    ['RSA with an empty modulus', { ...exportPublicJwk(rsa), n: '' }, /RSA|not a valid/],
  ]
  for (const [name, jwk, reason] of wrong) {
    it(`importKey refuses ${name}`, () => refuses(jwk, reason))
  }

  for (const operation of [
    'encrypt',
    'decrypt',
    'wrapKey',
    'unwrapKey',
    'deriveKey',
    'deriveBits',
  ]) {
    it(`importKey refuses key_ops with ${operation} but without sign and verify (RFC 7517)`, () => {
      refuses({ ...exportPublicJwk(ec), key_ops: [operation] }, /"key_ops" of a signing key/)
      refuses(
        { ...exportPublicJwk(ec), key_ops: ['x-own', operation] },
        /"key_ops" of a signing key/,
      )
      assert.ok(importKey({ ...exportPublicJwk(ec), key_ops: [operation, 'verify'] }))
      assert.ok(importKey({ ...exportPublicJwk(ec), key_ops: ['sign', operation] }))
    })
  }

  it('importKey ignores unknown members and unknown key_ops (RFC 7517 §4)', () => {
    for (const key_ops of [[], ['verify'], ['sign', 'verify'], ['verify', 'encrypt'], ['x-own']]) {
      assert.ok(
        importKey({
          ...exportPublicJwk(ec),
          key_ops,
          'x-own': {},
          ext: true,
          jku: 'http://127.0.0.1:1/',
        }),
      )
    }
  })

  for (const key of [ec, generateKey('ES384'), generateKey('ES512'), edwards]) {
    it(`importKey refuses wrong lengths in an ${key.algorithm.name} key (RFC 7518 §6.2)`, () => {
      const jwk = exportPrivateJwk(key)
      for (const member of ['x', 'y', 'd'].filter((member) => jwk[member] !== undefined)) {
        const bytes = Buffer.from(String(jwk[member]), 'base64url')
        const changed = [
          bytes.subarray(1),
          bytes.subarray(0, -1),
          Buffer.concat([Buffer.alloc(1), bytes]),
          Buffer.alloc(0),
        ]
        for (const other of changed)
          refuses({ ...jwk, [member]: other.toString('base64url') }, /bytes; this one has/)
      }
    })
  }

  for (const name of ['RS256', 'PS256', 'ES256', 'ES512', 'EdDSA'] as const) {
    it(`importKey refuses a ${name} JWK whose private and public parts do not match`, () => {
      const [one, two] = [exportPrivateJwk(generateKey(name)), exportPrivateJwk(generateKey(name))]
      const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi'].filter(
        (member) => two[member] !== undefined,
      )
      const mixed = Object.fromEntries(privateMembers.map((member) => [member, two[member]]))
      refuses({ ...one, ...mixed }, /must match|not a valid/)
    })
  }

  it('importKey refuses mixed parts of two RSA keys, although Node accepts them', () => {
    const { d, dp, dq, qi } = exportPrivateJwk(generated.get('RS512')!)
    refuses({ ...exportPrivateJwk(rsa), d, dp, dq, qi }, /must match/)
  })

  it('importKey never shows a key that it refuses', () => {
    const jwk = exportPrivateJwk(ec)
    const d = String(jwk['d'])
    for (const bad of [
      { ...jwk, d: `${d}=` },
      { ...jwk, d: d.slice(2) },
      { ...jwk, use: 'enc' },
      { ...jwk, alg: 'RS256' },
    ]) {
      assert.throws(
        () => importKey(bad),
        (error: Error) => !String(error.stack).includes(d.slice(4, 20)),
      )
    }
  })
})

describe('importKey of RSA', () => {
  const jwkOf = (modulusLength: number, publicExponent = 65_537): Jwk => ({
    ...generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({
      format: 'jwk',
    }),
    alg: 'RS256',
  })
  const number = (value: bigint): string =>
    Buffer.from(
      value
        .toString(16)
        .padStart(2, '0')
        .replace(/^(.(..)*)$/, '0$1'),
      'hex',
    ).toString('base64url')

  it('importKey refuses an RSA modulus below 2048 bits (RFC 7518 §3.3)', () => {
    refuses(jwkOf(1024), /at least 2048 bits; this one has 1024/)
    refuses(jwkOf(2040), /at least 2048 bits; this one has 2040/)
    const pem = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
      type: 'spki',
      format: 'pem',
    })
    refuses({ pem, algorithm: 'RS256' }, /at least 2048 bits/)
  })

  it('importKey refuses a private RSA key below 2048 bits', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    refuses({ ...privateKey.export({ format: 'jwk' }), alg: 'PS256' }, /at least 2048 bits/)
    refuses(
      { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }), algorithm: 'PS256' },
      /at least 2048 bits/,
    )
  })

  it('importKey refuses an RSA modulus above 8192 bits, because it makes verification slow', () => {
    const n = ((1n << 8199n) | 1n).toString(16)
    refuses(
      { kty: 'RSA', alg: 'RS256', e: 'AQAB', n: Buffer.from(n, 'hex').toString('base64url') },
      /at most 8192 bits/,
    )
    const largest = ((1n << 8191n) | 1n).toString(16)
    assert.ok(
      importKey({
        kty: 'RSA',
        alg: 'RS256',
        e: 'AQAB',
        n: Buffer.from(largest, 'hex').toString('base64url'),
      }),
    )
  })

  it('importKey refuses RSA exponents that are even or < 65537 (NIST SP 800-56B §6.2.2)', () => {
    refuses(jwkOf(2048, 3), /odd and at least 65537/)
    for (const e of [1n, 3n, 17n, 65_535n, 65_536n, 65_538n]) {
      refuses({ ...exportPublicJwk(rsa), e: number(e) }, /odd and at least 65537/)
    }
    assert.ok(importKey({ ...exportPublicJwk(rsa), e: number(65_539n) }))
  })

  it('importKey refuses an RSA exponent of more than 32 bits', () => {
    assert.ok(importKey({ ...exportPublicJwk(rsa), e: number(0xffff_ffffn) }))
    refuses({ ...exportPublicJwk(rsa), e: number((1n << 32n) | 1n) }, /at most 32 bits/)
  })

  it('importKey refuses an RSA key from a flawed key generator (ROCA, CVE-2017-15361)', () => {
    const { testGroups } = JSON.parse(vectors('wycheproof/json_web_key_test.json')) as {
      testGroups: { comment: string; public?: { keys: Jwk[] }; private: { keys: Jwk[] } }[]
    }
    const roca = testGroups.find(({ comment }) => comment === 'jws_rsa_roca_key')
    const [jwk] = (roca?.public ?? roca?.private)?.keys ?? []
    refuses(jwk, /ROCA/)
    const { n, e } = jwk as unknown as { n: string; e: string }
    const pem = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    })
    refuses({ pem, algorithm: 'PS512' }, /ROCA/)
  })

  it('importKey accepts RSA keys from a good key generator', () => {
    for (const bits of [2048, 2049, 2056, 3072]) assert.ok(importKey(jwkOf(bits)))
  })
})

describe('importKey of a PEM', () => {
  const pems = ({ verifyingKey, signingKey }: SigningKey): [string, string] => [
    keyObjectOf(verifyingKey).export({ type: 'spki', format: 'pem' }),
    keyObjectOf(signingKey).export({ type: 'pkcs8', format: 'pem' }),
  ]

  for (const name of asymmetric) {
    it(`importKey reads a private and a public ${name} key from PEM`, () => {
      const key = generated.get(name)!
      const [spki, pkcs8] = pems(key)
      assert.ok(
        works(
          importKey({ pem: pkcs8, algorithm: name }),
          importKey({ pem: spki, algorithm: name }),
        ),
      )
      assert.equal(importKey({ pem: spki, algorithm: name }).keyId, key.keyId)
      assert.equal(importKey({ pem: pkcs8, algorithm: name, keyId: 'mine' }).keyId, 'mine')
      assert.equal(canSign(importKey({ pem: spki, algorithm: name })), false)
    })
  }

  it('importKey reads a private key from a PEM in PKCS#1 or SEC1', () => {
    for (const [key, type] of [
      [rsa, 'pkcs1'],
      [ec, 'sec1'],
    ] as const) {
      const pem = keyObjectOf(key.signingKey).export({ type, format: 'pem' })
      assert.ok(works(importKey({ pem, algorithm: key.algorithm.name }), key))
    }
  })

  it('importKey refuses a PEM if the type or curve of its key does not fit `algorithm`', () => {
    const [spki, pkcs8] = pems(ec)
    for (const algorithm of ['HS256', 'RS256', 'PS256', 'ES384', 'EdDSA'] as const) {
      for (const pem of [spki, pkcs8])
        refuses({ pem, algorithm }, new RegExp(`a PEM for ${algorithm} must be`))
    }
    for (const [namedCurve, algorithm] of [
      ['secp256k1', 'ES256'],
      ['brainpoolP256r1', 'ES256'],
    ] as const) {
      const pem = generateKeyPairSync('ec', { namedCurve }).publicKey.export({
        type: 'spki',
        format: 'pem',
      })
      refuses({ pem, algorithm }, /a PEM for ES256|not a valid|JWK/)
    }
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' })
    refuses({ pem: x25519, algorithm: 'EdDSA' }, /a PEM for EdDSA/)
    refuses({ pem: pems(rsa)[0], algorithm: 'HS256' }, /a PEM for HS256 must be/)
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
    refuses(
      { pem: pss.export({ type: 'spki', format: 'pem' }), algorithm: 'PS256' },
      /a PEM for PS256/,
    )
  })

  it('importKey refuses a post-quantum key in a PEM', () => {
    const slhDsa = 'MDAwCwYJYIZIAWUDBAMUAyEA0iw+2laQask2znblb6KDusDYHz7ijukyk1rb44lS'
    const pem = `-----BEGIN PUBLIC KEY-----\n${slhDsa}\n-----END PUBLIC KEY-----\n`
    refuses({ pem, algorithm: 'RS256' }, /a PEM for RS256/)
  })

  it('importKey refuses a PEM that is given as bytes', () => {
    const [spki] = pems(ec)
    refuses({ pem: Buffer.from(spki), algorithm: 'ES256' }, /./)
  })

  it('importKey refuses an encrypted PEM, and text that is not a PEM', () => {
    for (const pem of [
      '',
      'hello',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
    ]) {
      refuses(
        { pem, algorithm: 'RS256' },
        /^a PEM for RS256 must be an unencrypted PKCS#8 or an SPKI key of type RSA$/,
      )
    }
    const encrypted = keyObjectOf(ec.signingKey).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    })
    refuses({ pem: encrypted, algorithm: 'ES256' }, /SPKI key of type P-256$/)
  })

  it('importKey refuses a PEM if the option `algorithm` is missing or unknown', () => {
    const [spki] = pems(ec)
    for (const algorithm of [undefined, 'none', 'es256'])
      refuses({ pem: spki, algorithm }, /algorithm must be one of/)
  })
})

describe('importKey of a secret', () => {
  const minimum = { HS256: 32, HS384: 48, HS512: 64 } as const
  for (const [algorithm, bytes] of Object.entries(minimum)) {
    it(`importKey demands ${bytes} bytes or more for a ${algorithm} secret (RFC 7518 §3.2)`, () => {
      const secret = keyObjectOf(generateKey('HS512').verifyingKey).export()
      assert.ok(
        importKey({ secret: secret.subarray(0, bytes), algorithm: algorithm as AlgorithmName }),
      )
      for (const short of [secret.subarray(0, bytes - 1), Buffer.alloc(0), '']) {
        refuses({ secret: short, algorithm }, new RegExp(`at least ${bytes} bytes`))
      }
      refuses(
        { kty: 'oct', alg: algorithm, k: secret.subarray(0, bytes - 1).toString('base64url') },
        /at least/,
      )
      refuses({ kty: 'oct', alg: algorithm, k: '' }, /at least/)
    })
  }

  it('importKey counts the bytes of a secret, not its characters; errors hide the secret', () => {
    assert.ok(importKey({ secret: 'äöüßéèêàâçñøåæ\u00ec\u00ed', algorithm: 'HS256' }))
    assert.throws(
      () => importKey({ secret: 'hunter2', algorithm: 'HS256' }),
      (error: Error) => !String(error.stack).includes('hunter2'),
    )
  })

  it('importKey refuses a secret that is neither text nor bytes', () => {
    for (const secret of [undefined, null, 1, {}, [], [1, 2, 3]])
      refuses({ secret, algorithm: 'HS256' }, /a string or bytes/)
  })

  it('importKey accepts a shared secret only for an HMAC algorithm', () => {
    for (const algorithm of asymmetric)
      refuses({ secret: 'x'.repeat(64), algorithm }, /a shared secret must be HS256/)
  })

  const spki = (key: KeyMaterial): string =>
    keyObjectOf(key).export({ type: 'spki', format: 'pem' })
  const der = (key: KeyMaterial): Buffer => keyObjectOf(key).export({ type: 'spki', format: 'der' })
  const pkcs1 = keyObjectOf(rsa.verifyingKey).export({ type: 'pkcs1', format: 'pem' })
  const pkcs1Der = keyObjectOf(rsa.verifyingKey).export({ type: 'pkcs1', format: 'der' })
  const body = (pem: string): string => pem.replace(/-----[^-]+-----/g, '')
  const disguises: readonly [string, string | Uint8Array][] = [
    ['SPKI PEM of RSA', spki(rsa.verifyingKey)],
    ['SPKI PEM of P-256', spki(ec.verifyingKey)],
    ['SPKI PEM of Ed25519', spki(edwards.verifyingKey)],
    ['SPKI PEM without its line breaks', spki(rsa.verifyingKey).replaceAll('\n', '')],
    ['SPKI PEM with CRLF', spki(rsa.verifyingKey).replaceAll('\n', '\r\n')],
    ['SPKI PEM with "\\n" written out', spki(rsa.verifyingKey).replaceAll('\n', String.raw`\n`)],
    ['SPKI PEM as bytes', Buffer.from(spki(rsa.verifyingKey))],
    ['PKCS#1 PEM', pkcs1],
    ['private PKCS#8 PEM', keyObjectOf(ec.signingKey).export({ type: 'pkcs8', format: 'pem' })],
    ['SPKI DER of RSA', der(rsa.verifyingKey)],
    ['SPKI DER of P-256', der(ec.verifyingKey)],
    ['SPKI DER of Ed25519', der(edwards.verifyingKey)],
    ['PKCS#1 DER', pkcs1Der],
    ['SPKI DER in base64', der(ec.verifyingKey).toString('base64')],
    ['SPKI DER in base64url', der(ec.verifyingKey).toString('base64url')],
    ['SPKI DER in hex', der(ec.verifyingKey).toString('hex')],
    ['SPKI DER in upper-case hex', der(ec.verifyingKey).toString('hex').toUpperCase()],
    ['PKCS#1 DER in base64', pkcs1Der.toString('base64')],
    ['PKCS#1 DER in hex', pkcs1Der.toString('hex')],
    ['body of an SPKI PEM', body(spki(rsa.verifyingKey))],
    ['body of a PKCS#1 PEM', body(pkcs1)],
    ['JWK', JSON.stringify(exportPublicJwk(rsa))],
    ['JWK, pretty', JSON.stringify(exportPublicJwk(ec), null, 2)],
    ['JWK Set', JSON.stringify({ keys: [exportPublicJwk(ec)] })],
    ['certificate PEM', `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`],
    ['certificate DER', Buffer.from(certificate, 'base64')],
    ['certificate in base64, as in x5c', certificate],
    [
      'ssh-rsa',
      `ssh-rsa ${Buffer.from('AAAAB3NzaC1yc2E').toString('base64')}${'A'.repeat(40)} me@host`,
    ],
    ...[
      'ssh-dss',
      'ssh-ed25519',
      'ecdsa-sha2-nistp384',
      'sk-ssh-ed25519@openssh.com',
      'sk-ecdsa-sha2-nistp256@openssh.com',
    ].map((type): [string, string] => [type, `${type} AAAAC3NzaC1lZDI1NTE5AAAAIPL1I9oiq me@host`]),
    [
      'SSH2 public key file',
      '---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABAQC7\n---- END SSH2 PUBLIC KEY ----\n',
    ],
    [
      'OpenSSH private key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    ],
    ['PuTTY key file', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\n'],
    [
      'PGP public key',
      '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZabc\n-----END PGP PUBLIC KEY BLOCK-----\n',
    ],
  ]
  for (const [name, secret] of disguises) {
    it(`importKey refuses this key as a secret: ${name} (CVE-2022-29217, CVE-2023-48223)`, () => {
      refuses({ secret, algorithm: 'HS256' }, /others may know/)
      if (typeof secret === 'string')
        refuses({ secret: Buffer.from(secret), algorithm: 'HS256' }, /others may know/)
      const k = Buffer.from(secret as string).toString('base64url')
      refuses({ kty: 'oct', alg: 'HS256', k }, /others may know/)
    })
  }

  const { prefixes } = JSON.parse(vectors('upstream-tests/fast-jwt-key-prefixes.json')) as {
    prefixes: string[]
  }
  for (const prefix of prefixes) {
    it(`importKey refuses ${JSON.stringify(prefix)} + a public key (CVE-2026-34950)`, () => {
      const ssh = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPL1I9oiq+B8crkmuV4YViiUnhdLjCp3hvy1bNGuGfNL'
      for (const text of [
        spki(rsa.verifyingKey),
        pkcs1,
        spki(ec.verifyingKey),
        JSON.stringify(exportPublicJwk(ec)),
        ssh,
      ]) {
        refuses({ secret: prefix + text, algorithm: 'HS256' }, /others may know/)
      }
    })
  }

  it('importKey refuses the public SSH keys of CVE-2022-29217 as secrets', () => {
    const file = JSON.parse(vectors('upstream-tests/pyjwt-GHSA-ffqj-6fqr-9h24.json')) as {
      vectors: { key: string }[]
    }
    for (const { key } of file.vectors) {
      for (const secret of [key, `${key}\n`, `  ${key} me@host`, `\n\n${key}`, Buffer.from(key)]) {
        refuses({ secret, algorithm: 'HS256' }, /others may know/)
      }
    }
  })

  it('importKey accepts random secrets as bytes, base64, base64url and hex', () => {
    for (let i = 0; i < 500; i++) {
      const bytes = keyObjectOf(generateKey('HS512').verifyingKey).export()
      for (const secret of [
        bytes,
        bytes.toString('base64'),
        bytes.toString('base64url'),
        bytes.toString('hex'),
      ]) {
        assert.ok(importKey({ secret, algorithm: 'HS512' }))
      }
    }
  })
})
