import assert from 'node:assert/strict'
import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { signJwt, verifyJwt } from '../token/jwt.ts'
import { findAlgorithm } from './algorithm.ts'
import { generateKey } from './generate-key.ts'
import { importKey } from './import-key.ts'
import { importJwkSet } from './jwk-set.ts'
import { exportPublicJwk } from './jwk.ts'
import { keyObjectOf } from './key-object.ts'
import { isWeakSecret, requireSoundKey, trustedSecretKey } from './shared-secret.ts'
import type { SigningKey } from './signing-key.ts'

const hs256 = findAlgorithm('HS256')!
const issuerKey = generateKey('ES256')
const jwk = exportPublicJwk(issuerKey)
const pem = keyObjectOf(issuerKey.verifyingKey).export({ type: 'spki', format: 'pem' })
const jwksUri = 'https://tenant.example/.well-known/jwks.json'

const importSecret = (secret: string | Uint8Array): unknown =>
  importKey({ secret, algorithm: 'HS256' })

/** Asserts that a secret is refused as text, bytes and JWK, and that no error repeats it. */
function refuses(secret: string | Uint8Array, expected: RegExp): void {
  const bytes = Buffer.from(secret)
  const set = { keys: [{ kty: 'oct', alg: 'HS256', k: bytes.toString('base64url') }] }
  for (const make of [
    () => importSecret(secret),
    () => importSecret(bytes),
    () => importJwkSet(set),
  ]) {
    assert.throws(make, (error) => {
      assert.ok(error instanceof TypeError)
      assert.match(error.message, expected)
      for (const text of [bytes.toString(), bytes.toString('base64'), bytes.toString('hex')])
        assert.ok(
          text.length < 8 || !String(error.stack).includes(text),
          'the message must not repeat the secret',
        )
      return true
    })
  }
}

describe('importKey of text that is not a secret', () => {
  const table: readonly [what: string, instead: RegExp, texts: readonly string[]][] = [
    [
      'a URL',
      /pass its https URL as jwksUri/,
      [
        jwksUri,
        ` ${jwksUri}`,
        `\t\n${jwksUri}\n`,
        `"${jwksUri}"`,
        `\ufeff${jwksUri}`,
        `JWKS_URI=${jwksUri}`,
        'HTTPS://TENANT.EXAMPLE/jwks',
        'https:tenant.example/.well-known/jwks',
        'https%3A%2F%2Ftenant.example%2Fwell-known%2Fjwks',
        'JWKS_URI=https%3A%2F%2Ftenant.example%2Fwell-known%2Fjwks',
        'http:tenant.example/.well-known/jwks',
        'https://profile:3000/.well-known/jwks.json',
        'shop://tenant.example/keys',
        'http://localhost:3000/auth/.well-known/jwks.json',
        '//tenant.example/.well-known/jwks.json',
        'https://tenant.eu.auth0.com/',
        'data:application/json,{"jwks":[]}',
        'postgres://user:hunter2@db.internal/keystile',
        'urn:example:issuer:of-many-tokens',
        Buffer.from(jwksUri).toString('base64'),
        Buffer.from(jwksUri).toString('hex'),
        Buffer.from(jwksUri, 'utf16le').toString(),
      ],
    ],
    [
      'a URL without its scheme, or a path',
      /pass its https URL as jwksUri/,
      [
        'keycloak:8080/realms/shop/protocol/openid-connect/certs',
        'auth-server:9000/oauth2/default/v1/keys',
        'auth_service.internal:8080/v1/keys/public',
        'profile:3000/auth/v1/keys/public',
      ],
    ],
    [
      'a template that was not filled in',
      /fill it in/,
      [
        'undefined/realms/shop/protocol/openid-connect/certs',
        '${AUTH_ISSUER}/protocol/openid-connect/certs',
        'process.env.AUTH_SIGNING_SECRET_VALUE',
        "secret=process.env['AUTH_SIGNING_SECRET']",
        'undefined',
        'null',
        '{{ .Values.auth.signingSecretName }}',
      ],
    ],
    [
      'the name of a secret in a vault',
      /pass the value that the vault stores/,
      [
        'arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt',
        'projects/my-project/secrets/jwt-signing/versions/latest',
        'vault:secret/data/shop/prod#jwt-signing',
        'op://shop/jwt-signing/password',
      ],
    ],
    [
      'the path of a file',
      /read the file/,
      [
        './public.pem',
        '../keys/public.pem',
        'keys/public.pem',
        '/etc/keys/jwks.json',
        '/run/secrets/keystile_signing_key',
        '/run/secrets/keystilesigningkey',
        '~/.ssh/id_ed25519-of-the-server',
        'C:\\keys\\public-key-of-the-issuer',
        'C://keys/public-key-of-the-issuer',
        'keys/issuer.jwk',
        'config/settings.yml',
        'file:///run/secrets/keystile',
        `<"'keys/public.pem'">\r\n`,
        'file:///etc/keys/jwks.json',
        'file:./public.pem',
      ],
    ],
    [
      'a key or certificate',
      /importKey\(\{ pem, algorithm \}\)/,
      [
        pem,
        Buffer.from(pem).toString('base64'),
        Buffer.from(pem).toString('base64url'),
        Buffer.from(pem).toString('hex'),
      ],
    ],
    [
      'JSON',
      /pass the JWK or the JWK Set as an object/,
      [
        JSON.stringify({ keys: [jwk] }),
        JSON.stringify(jwk, null, 2),
        '{"keys":[]}',
        '[{"a":"JSON is not a secret, whatever is in it"}]',
        Buffer.from(JSON.stringify({ keys: [jwk] })).toString('base64'),
      ],
    ],
    [
      'a host name',
      /pass its https URL as jwksUri/,
      [
        'tenant.example',
        'login.tenant-of-many-letters.eu.auth0.com',
        'tenant.example/.well-known/jwks.json?v=1',
        'localhost:3000/.well-known/jwks',
        '192.168.100.200:8080/.well-known/jwks',
      ],
    ],
    [
      'a UUID',
      /openssl rand -base64 32/,
      ['1b4e28ba-2fa1-41d2-883f-0016d3cca427', '1B4E28BA-2FA1-41D2-883F-0016D3CCA427'],
    ],
    [
      'a JWT',
      /openssl rand -base64 32/,
      ['', 'TOKEN='].map(
        (name) => name + signJwt({ role: 'anon' }, generateKey('HS256'), { expiresInSeconds: 60 }),
      ),
    ],
  ]
  for (const [what, instead, texts] of table) {
    it(`importKey refuses ${what} as a secret, and says what to do instead`, () => {
      for (const text of texts) {
        refuses(text, new RegExp(`this one is ${what}, which others may know`))
        refuses(text, instead)
      }
    })
  }
})

describe('importKey of random text that looks like a mistake', () => {
  it('importKey accepts random text even if "arn:", "ssh-" or the like is part of it', () => {
    for (const mark of [
      'ssh-',
      '-BEGIN-',
      'data:',
      '//a.b',
      'null.',
      'arn:',
      'projects/a/secrets/',
      'vault:',
    ])
      assert.ok(importSecret(`kQ3v9ZpX1mW7tY5u${mark}B2nR8sD4fG6hJ0lA`), mark)
    assert.ok(importSecret('kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lAnull'))
  })

  it('importKey accepts two UUIDs, joined by a hyphen, as one secret', () => {
    const two = '1b4e28ba-2fa1-41d2-883f-0016d3cca427-9c858901-8a57-4791-81fe-4c455b099bc9'
    assert.ok(importSecret(two))
  })

  it('importKey accepts base64 with capitals, even if it starts with a slash like a path', () => {
    assert.ok(importSecret('/KqwertzuiopasdfghjklyxcvbnmabcdefgHIJKLMNO'))
  })

  it('importKey accepts words with slashes and dots that are not a path or a host name', () => {
    for (const words of [
      'correct horse battery.keyboard staple',
      'correct horse/battery.staple again!',
      '!correct horse/battery.staple.again',
      'correct/horse/battery/staple/again',
      'correct-horse:battery.staple.example',
      'battery.staple:correct horse again',
      '/correct horse; battery staple again',
    ])
      assert.ok(importSecret(words), words)
  })
})

describe('importKey of a published secret', () => {
  const a1 =
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow'
  const fastApi = '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7'
  const printed = [
    a1,
    fastApi,
    'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg', // RFC 7520 §3.5
    '-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE', // Wycheproof
    'a-string-secret-at-least-256-bits-long', // jwt.io
    'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long', // jwt.io
    'super-secret-jwt-token-with-at-least-32-characters-long', // Supabase
    'your_jwt_secret_key_at_least_32_characters_long',
    'your-super-secret-jwt-key-change-this-in-production',
    'DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET AND KEEP IT SAFE OUTSIDE OF THE SOURCE CODE.', // NestJS
    'THIS IS USED TO SIGN AND VERIFY JWT TOKENS, REPLACE IT WITH YOUR OWN SECRET, IT CAN BE ANY STRING',
    '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R', // Hasura
    '5152fa850c02dc222631cca898ed1485821a70912a6e3649c49076912daa3b62182ba013315915d64f40cddfbb8b58eb5bd11ba225336a6af45bbae07ca873f3', // Nhost
    '3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b', // Spring Security
    '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970', // Spring Security
    '413F4428472B4B6250655368566D5970337336763979244226452948404D6351', // Spring Security
    '5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437', // Spring Security
    'ByYM000OLlMQG6VVVp1OH7Xzyr7gHuw1qvUC5dcGt3SNM', // ASP.NET Core
    'JWTAuthenticationHIGHsecuredPasswordVVVp1OH7Xzyr', // ASP.NET Core
    'a-very-long-random-string-with-symbols-and-numbers', // templates
    "$(openssl rand -base64 32 | tr -d '\\n')",
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', // SHA-256 of nothing
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', // of "test"
    'f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2', // of the line "test"
    createHash('sha512').update('password').digest('hex'),
  ]
  for (const text of printed) {
    it(`importKey refuses the published secret ${text.slice(0, 24)}… in any spelling`, () => {
      const spellings = [
        text,
        text.toLowerCase(),
        text.toUpperCase(),
        `${text}\n`,
        ` ${text}\r\n`,
        `"${text}"`,
      ]
      const encoded = [text, ` "${text.toUpperCase()}"\r\n`].flatMap((spelling) =>
        (['base64', 'hex'] as const).map((encoding) => Buffer.from(spelling).toString(encoding)),
      )
      for (const spelling of [...spellings, ...encoded])
        refuses(spelling, /printed in public documentation.*openssl rand/)
    })
  }

  it('importKey refuses the decoded bytes of a published base64 or hex secret', () => {
    for (const bytes of [
      Buffer.from(a1, 'base64url'),
      Buffer.from(a1.toLowerCase(), 'base64url'),
      Buffer.from(fastApi, 'hex'),
      Buffer.from(fastApi, 'base64'), // tutorials of Spring decode any secret as base64
    ])
      for (const secret of [
        bytes,
        bytes.toString('base64'),
        bytes.toString('base64url'),
        bytes.toString('hex'),
      ])
        refuses(secret, /printed in public documentation/)
  })
})

describe('importKey of a refused secret', () => {
  it('importKey says what is wrong with a refused secret and how to fix it', () => {
    const fix = 'Fix: make one with: openssl rand -base64 48'
    for (const [secret, message] of [
      [
        '1b4e28ba-2fa1-41d2-883f-0016d3cca427',
        'a secret must be random bytes; this one is a UUID, which others may know. ' +
          'Fix: make a secret with: openssl rand -base64 32',
      ],
      ['short', `a secret for HS384 must have at least 48 bytes; this one has 5. ${fix}`],
      [
        'a-very-long-random-string-with-symbols-and-numbers',
        `a secret must not be public; this one is printed in public documentation. ${fix}`,
      ],
      [
        'a'.repeat(48),
        'a secret must be random: at least 48 bytes, 16 of them different, and not in sequence. ' +
          fix,
      ],
    ] as const)
      assert.throws(() => importKey({ secret, algorithm: 'HS384' }), { name: 'TypeError', message })
  })
})

describe('importKey of a secret that is not random', () => {
  const weak: readonly [string, string | Uint8Array][] = [
    ['zero bytes', Buffer.alloc(32)],
    ['64 zero bytes', Buffer.alloc(64)],
    ['one letter', 'a'.repeat(64)],
    ['bytes that count up', Uint8Array.from({ length: 32 }, (_, i) => i)],
    ['bytes that count down', Uint8Array.from({ length: 64 }, (_, i) => 255 - i)],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz0123456789'],
    ['hex digits in order', '0123456789abcdef'.repeat(4)],
    ['16 letters twice', 'abcdefghijklmnop'.repeat(2)],
    ['15 different bytes', 'kx8vWq2Jm0ZrT5u'.repeat(4)],
    ['a repeated word', 'password'.repeat(8)],
    ['a repeated hex word', 'deadbeef12345678'.repeat(4)],
    ['digits', '31415926535897932384626433832795028841971'],
  ]
  for (const [what, secret] of weak) {
    it(`importKey refuses a secret that is not random: ${what}`, () => {
      refuses(
        secret,
        /must be random: at least 32 bytes, 16 of them different.*openssl rand -base64 32/,
      )
    })
  }

  it('importKey accepts a secret of few different characters only if it is written in hex', () => {
    const hex = '1a2b3c4d1d2c3b4a1c2d3a4b1b2a3d4c'
    assert.ok(importSecret(hex))
    assert.ok(importSecret(hex.toUpperCase()))
    assert.ok(importSecret(hex.replace(/(..)(?=.)/g, '$1:')))
    assert.ok(importSecret(hex.replace(/(.{8})(?=.)/g, '$1 - ')))
    for (const text of [`x${hex}`, `${hex}x`, 'acebdfafbecdadbfceafbdecfbadcefa'])
      refuses(text, /must be random/)
  })

  it('a secret must have 16 different bytes, and 8 different steps between adjacent bytes', () => {
    const stepping = (steps: number): Uint8Array => {
      let byte = 0
      return Uint8Array.from({ length: 32 }, (_, i) => (byte += 1 + (i % steps)))
    }
    assert.ok(importSecret(stepping(8)))
    refuses(stepping(7), /must be random/)
    assert.equal(isWeakSecret(stepping(8), 32), false)
    assert.equal(isWeakSecret(stepping(8), 33), true)
    assert.ok(importSecret('kx8vWq2Jm0ZrT5uP'.repeat(2)))
  })

  const count = process.env['KEYSTILE_LONG'] ? 100_000 : 10_000
  it(`importKey accepts ${count} random secrets of 32 bytes, in every common encoding`, () => {
    let block = Buffer.alloc(64)
    const encodings = ['hex', 'base64', 'base64url', undefined] as const
    for (let i = 0; i < count; i++) {
      block = createHash('sha512').update(block).digest() // the same bytes in each run
      const bytes = block.subarray(0, 32)
      const encoding = encodings[i % 4]
      assert.doesNotThrow(
        () => importSecret(encoding ? bytes.toString(encoding) : bytes),
        `number ${i}`,
      )
    }
  })

  it('importKey accepts random text after a label such as shop-jwt-secret-', () => {
    let [block, refused] = [Buffer.alloc(64), 0]
    for (let i = 0; i < 2_000; i++) {
      block = createHash('sha512').update(block).digest()
      for (const secret of [
        `shop-jwt-secret-${block.toString('hex')}`,
        `jwt_secret_key_${block.toString('base64')}`,
      ]) {
        try {
          importSecret(secret)
        } catch {
          refused++
        }
      }
    }
    assert.equal(refused, 0)
  })

  it('importKey accepts a placeholder if at least 32 random characters follow it', () => {
    const random = 'kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lA'
    assert.ok(importSecret(`change-me${random}`))
    refuses(`change-me${random.slice(1)}`, /printed in public documentation/)
  })

  it('importKey accepts 32 random hex digits, which are 128 bits, as an HS256 secret', () => {
    let block = Buffer.alloc(64)
    for (let i = 0; i < 10_000; i++) {
      block = createHash('sha512').update(block).digest()
      assert.doesNotThrow(() => importSecret(block.toString('hex', 0, 16)), `number ${i}`)
    }
  })
})

describe('a hand-made key, which importKey has not checked', () => {
  const handMade = (verifyingKey: KeyObject): SigningKey => ({
    keyId: undefined,
    algorithm: hs256,
    verifyingKey,
    signingKey: verifyingKey,
  })
  const tokenBy = (secret: string): string => {
    const parts = ['{"alg":"HS256"}', '{"sub":"mallory","exp":9999999999}'].map((part) =>
      Buffer.from(part).toString('base64url'),
    )
    const signed = parts.join('.')
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  }

  it('signJwt and verifyJwt refuse a weak secret in a key object made without importKey', () => {
    for (const secret of [
      jwksUri,
      'a-string-secret-at-least-256-bits-long',
      'a'.repeat(64),
      'short',
    ]) {
      const key = handMade(createSecretKey(Buffer.from(secret)))
      assert.throws(() => signJwt({}, key, { expiresInSeconds: 60 }), TypeError)
      assert.throws(() => verifyJwt(tokenBy(secret), key), TypeError)
      assert.throws(() => verifyJwt(tokenBy(secret), { find: () => key }), TypeError)
    }
  })

  it('signJwt refuses a string or a public key in a key object made without importKey', () => {
    for (const impostor of [
      'x'.repeat(32),
      generateKey('ES256').verifyingKey,
    ] as unknown as KeyObject[]) {
      assert.throws(
        () => signJwt({}, handMade(impostor), { expiresInSeconds: 60 }),
        /must come from importKey/,
      )
    }
  })

  it('verifyJwt accepts a random secret in a key object made without importKey', () => {
    const secret = 'kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lA'
    assert.equal(
      verifyJwt(tokenBy(secret), handMade(createSecretKey(Buffer.from(secret)))).sub,
      'mallory',
    )
  })
})

describe('importJwkSet of secrets', () => {
  it('importJwkSet refuses a set with a weak secret, and says how to make a better one', () => {
    const good = {
      kty: 'oct',
      alg: 'HS256',
      kid: 'good',
      k: Buffer.from('kQ3v9ZpX1mW7tY5uB2nR8sD4fG6hJ0lA').toString('base64url'),
    }
    const bad = { kty: 'oct', alg: 'HS256', kid: 'bad', k: 'A'.repeat(43) }
    assert.ok(importJwkSet({ keys: [good] }))
    for (const keys of [[bad], [good, bad], [bad, good]])
      assert.throws(() => importJwkSet({ keys }), /must be random.*openssl rand -base64 32/)
  })
})

it('trustedSecretKey checks only the length, and requireSoundKey accepts its keys', () => {
  assert.ok(hs256.keyType === 'oct')
  const zeros = Buffer.alloc(32)
  requireSoundKey(trustedSecretKey(zeros, hs256), hs256)
  assert.throws(() => requireSoundKey(createSecretKey(zeros), hs256), /must be random/)
  assert.throws(() => trustedSecretKey(zeros.subarray(1), hs256), /at least 32 bytes; .* has 31/)
})
