// Tokens for the differential test, from well-formed ones to tokens that no issuer would send.
// fast-check makes and shrinks recipes; `bake` turns a recipe into a token.
import fc from 'fast-check'
import type { AlgorithmName } from 'keystile'
import { canSign, toBase64url } from 'keystile/internal'
import { exportPrivateJwk, generateKey, importKey, type SigningKey } from 'keystile/jwt'
import { keyObjectOf, sign } from '../../packages/keystile/test-support/raw-signature.ts'
import { importVector } from '../../packages/keystile/test-support/vectors.ts'

export const algorithms: readonly AlgorithmName[] = [
  ...(['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
]

export const issuer = 'https://auth.example'
export const audience = 'https://orders.example'
export const type = 'at+jwt'
export const toleranceSeconds = 5
/** The time of each verification: whole seconds, because jose rounds its date down. */
export const now = Date.UTC(2026, 10, 25, 12) / 1000
const keyId = 'ours'
/** How many tokens a pool has. */
const poolSize = process.env['KEYSTILE_LONG'] ? 200 : 20

/**
 * Members of a JSON object in order, with values as JSON text, so that a member may appear twice or
 * be malformed.
 */
type Members = readonly (readonly [name: string, value: string])[]

interface Edit {
  readonly how: 'set' | 'add' | 'remove'
  readonly name: string
  readonly value: string
}

/** One change to the text of a token. Numbers are reduced modulo the available length. */
export type Damage =
  | {
      readonly kind: 'flip a bit'
      readonly segment: number
      readonly at: number
      readonly bit: number
    }
  | { readonly kind: 'change a character'; readonly at: number; readonly to: string }
  | { readonly kind: 'insert'; readonly at: number; readonly text: string }
  | {
      readonly kind: 'set unused bits' | 'other alphabet' | 'drop' | 'empty'
      readonly segment: number
    }
  | { readonly kind: 'pad'; readonly segment: number; readonly padding: string }
  | { readonly kind: 'swap'; readonly segment: number; readonly other: number }
  | { readonly kind: 'add a segment'; readonly at: number; readonly text: string }
  | { readonly kind: 'cut the signature'; readonly bytes: number; readonly front: boolean }
  | { readonly kind: 'extend the signature'; readonly bytes: string; readonly front: boolean }
  | { readonly kind: 'signature of another token'; readonly pooled: number }
  | { readonly kind: 'surround'; readonly before: string; readonly after: string }

export interface Recipe {
  /** The token to start from: one from the pool, or a new one. */
  readonly base:
    | { readonly pooled: number }
    | {
        readonly header: readonly Edit[]
        readonly claims: readonly Edit[]
        /**
         * How header and claims are encoded: with a byte order mark, white space, trailing text or
         * invalid UTF-8.
         */
        readonly spelling: readonly [header: Spelling, claims: Spelling]
        /**
         * `own`: the trusted key. `twin`: another key of the same algorithm. `confused`: HMAC with
         * the public key as its secret.
         */
        readonly signer: 'own' | 'twin' | 'confused' | AlgorithmName
        /**
         * If true, the header names the signer's algorithm. If false, the header names the
         * algorithm of the trusted key.
         */
        readonly honest: boolean
      }
  readonly damages: readonly Damage[]
}

export type Spelling =
  | 'plain'
  | 'byte order mark'
  | 'white space'
  | 'trailing garbage'
  | 'invalid UTF-8'
  | 'array around'

const json = (value: unknown): string => JSON.stringify(value)
export const anyValue = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'null',
      'true',
      '""',
      '"x"',
      '[]',
      '{}',
      '0',
      '-1',
      '1e400',
      '1.5',
      '9e15',
    ),
  },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }).filter((text) => !text.includes('__proto__')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"\\ud800"', '{"a":1,"a":1}', `${'['.repeat(40)}${']'.repeat(40)}`),
  },
)
const instant = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -8, max: 8 }).map((offset) => String(now + offset)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('4.5', '5.5', '-4.5', '-5.000001')
      .map((text) => String(now + Number(text))),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(json(String(now + 60)), String(now * 1000), '1e300', '-1e400'),
  },
  { weight: 1, arbitrary: anyValue },
)
const claim: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(fc.constantFrom('exp', 'nbf', 'iat'), instant),
  fc.tuple(
    fc.constant('aud'),
    fc.oneof(
      fc.constantFrom(
        json(audience),
        json([audience]),
        json(['x', audience]),
        json([audience, audience]),
        json([audience, 1]),
        json([[audience]]),
        json(`${audience}/`),
        json(audience.toUpperCase()),
        json(`${audience} x`),
        json({ [audience]: audience }),
      ),
      anyValue,
    ),
  ),
  fc.tuple(
    fc.constant('iss'),
    fc.oneof(
      fc.constantFrom(json(issuer), json([issuer]), json(`${issuer}/`), json(issuer.slice(1))),
      anyValue,
    ),
  ),
  fc.tuple(fc.constantFrom('sub', 'jti', 'client_id', 'scope', 'toString', 'x'), anyValue),
  fc.tuple(
    fc.constant('x'),
    fc.integer({ min: 11_000, max: 13_000 }).map((length) => json('x'.repeat(length))),
  ),
)
const parameter: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(
    fc.constant('alg'),
    fc.oneof(
      fc.constantFrom(
        ...[...algorithms, 'none', 'None', '', 'hs256', 'HS256 ', 'ES256K', 'Ed448'].map(json),
      ),
      anyValue,
    ),
  ),
  fc.tuple(
    fc.constant('typ'),
    fc.oneof(
      fc.constantFrom(
        ...[
          'at+jwt',
          'AT+JWT',
          'application/at+jwt',
          'Application/AT+jwt',
          'JWT',
          'at+jwt ',
          'x/at+jwt',
          '/at+jwt',
        ].map(json),
        json('application/application/at+jwt'),
      ),
      anyValue,
    ),
  ),
  fc.tuple(
    fc.constant('crit'),
    fc.oneof(
      fc.constantFrom('["b64"]', '["exp"]', '["b64","b64"]', '["alg"]', '["x"]', '"b64"'),
      anyValue,
    ),
  ),
  fc.tuple(fc.constant('b64'), fc.constantFrom('true', 'false', 'null', '"false"')),
  fc.tuple(fc.constant('kid'), fc.oneof(fc.constantFrom(json(keyId), json('other')), anyValue)),
  fc.tuple(
    fc.constantFrom('jwk', 'jku', 'x5u', 'x5c', 'x5t', 'cty', 'zip', 'enc', 'nonce', 'toString'),
    fc.oneof(fc.constant('{"kty":"oct","k":"AAAA"}'), anyValue),
  ),
)
const set = (name: string, value: string): Edit => ({ how: 'set', name, value })
const editsOf = (
  member: fc.Arbitrary<readonly [string, string]>,
  special: readonly (readonly Edit[])[],
): fc.Arbitrary<readonly Edit[]> => {
  const how = fc.constantFrom<Edit['how'][]>('set', 'set', 'set', 'add', 'remove')
  const one = fc.tuple(how, member).map(([how, [name, value]]): Edit => ({ how, name, value }))
  return fc.oneof(
    { weight: 15, arbitrary: fc.array(one, { maxLength: 2 }) },
    { weight: 1, arbitrary: fc.constantFrom(...special) },
  )
}
/** Edits of one member, and lists of edits that random choice would combine too rarely. */
const headerEdits = editsOf(parameter, [
  [set('crit', '["b64"]'), set('b64', 'true')],
  [set('crit', '["b64"]'), set('b64', 'false')],
  [{ how: 'remove', name: 'kid', value: '' }],
])
const claimEdits = editsOf(claim, [
  [{ how: 'remove', name: 'exp', value: '' }],
  [set('exp', '1e400')],
  [set('aud', json([audience, 1]))],
  [set('nbf', String(now)), set('exp', String(now))],
])

const spelling = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Spelling>('plain') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Spelling[]>(
      'byte order mark',
      'white space',
      'trailing garbage',
      'invalid UTF-8',
      'array around',
    ),
  },
)
const segment = fc.nat(2)
const position = fc.nat(2_000)
export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('flip a bit' as const), segment, at: position, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('change a character' as const),
    at: position,
    to: fc.constantFrom(...Array.from('AZaz09-_+/=. \n\t~\0\u00e4\u0141')),
  }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: position,
    text: fc.constantFrom('.', '=', ' ', '\n', '\r\n', 'A', '%2E', '\u200b', '\ufeff'),
  }),
  fc.record({
    kind: fc.constantFrom('set unused bits', 'other alphabet', 'drop', 'empty' as const),
    segment,
  }),
  fc.record({
    kind: fc.constant('pad' as const),
    segment,
    padding: fc.constantFrom('=', '==', '==='),
  }),
  fc.record({ kind: fc.constant('swap' as const), segment, other: segment }),
  fc.record({
    kind: fc.constant('add a segment' as const),
    at: fc.nat(3),
    text: fc.constantFrom('', 'AAAA', 'e30'),
  }),
  fc.record({
    kind: fc.constant('cut the signature' as const),
    bytes: fc.integer({ min: 1, max: 40 }),
    front: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('extend the signature' as const),
    bytes: fc.constantFrom('00', '0000', 'ff', '30', '00'.repeat(32)),
    front: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('signature of another token' as const),
    pooled: fc.nat(poolSize - 1),
  }),
  fc.record({
    kind: fc.constant('surround' as const),
    before: fc.constantFrom('', ' ', 'Bearer ', '.', '\ufeff'),
    after: fc.constantFrom('', ' ', '\n', '.', '='),
  }),
)

export const recipe: fc.Arbitrary<Recipe> = fc.record({
  base: fc.oneof(
    { weight: 2, arbitrary: fc.record({ pooled: fc.nat(poolSize - 1) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        header: headerEdits,
        claims: claimEdits,
        spelling: fc.tuple(spelling, spelling),
        signer: fc.oneof(
          { weight: 12, arbitrary: fc.constant('own' as const) },
          {
            weight: 1,
            arbitrary: fc.constantFrom('twin' as const, 'confused' as const, ...algorithms),
          },
        ),
        honest: fc.boolean(),
      }),
    },
  ),
  damages: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(damage, { minLength: 1, maxLength: 2 }) },
  ),
})

/** Makes tokens of one algorithm with the key that the verifiers trust, or with other keys. */
export interface Baker {
  readonly key: SigningKey
  bake(recipe: Recipe): string
}

/**
 * Returns a function that makes a key for an algorithm. All its RSA keys have the same modulus,
 * because it takes 100 ms to generate one.
 */
function createKeyMaker(): (algorithm: AlgorithmName) => SigningKey {
  const rsa = exportPrivateJwk(generateKey('RS256', { keyId }))
  return (algorithm) => {
    if (!/^[RP]S/.test(algorithm)) return generateKey(algorithm, { keyId })
    const key = importKey({ ...rsa, alg: algorithm })
    if (!canSign(key)) throw new Error('a private key must be able to sign')
    return key
  }
}

const [keyFor, twinFor, otherFor] = [createKeyMaker(), createKeyMaker(), createKeyMaker()] as const
const others: ReadonlyMap<AlgorithmName, SigningKey> = new Map(
  algorithms.map((algorithm) => [algorithm, otherFor(algorithm)]),
)

/** Makes a key for an algorithm, and a pool of tokens signed with it. */
export function createBaker(algorithm: AlgorithmName): Baker {
  const key = keyFor(algorithm)
  const twin = twinFor(algorithm)
  const confused = confusedKey(key)
  const pool: string[] = []
  /** Returns a token of the pool. It is signed when it is needed first. */
  const pooled = (index: number): string =>
    (pool[index] ??= write(headerOf(key), claimsOf(index), ['plain', 'plain'], key))

  function write(
    header: Members,
    claims: Members,
    spelling: readonly [Spelling, Spelling],
    signer: SigningKey,
  ): string {
    const parts = [spell(header, spelling[0]), spell(claims, spelling[1])]
    const input = parts.map(toBase64url).join('.')
    return `${input}.${toBase64url(sign(signer, Buffer.from(input)))}`
  }

  return {
    key,
    bake({ base, damages }) {
      let token: string
      if ('pooled' in base) token = pooled(base.pooled)
      else {
        const signer =
          base.signer === 'own'
            ? key
            : base.signer === 'twin'
              ? twin
              : base.signer === 'confused'
                ? confused
                : others.get(base.signer)!
        const header = headerOf(base.honest ? signer : key)
        token = write(
          edit(header, base.header),
          edit(claimsOf(0), base.claims),
          base.spelling,
          signer,
        )
      }
      return damages.reduce((damaged, step) => applyDamage(damaged, step, pooled), token)
    },
  }
}

function headerOf(key: SigningKey): Members {
  return Object.entries({ alg: key.algorithm.name, kid: keyId, typ: type }).map(([name, value]) => [
    name,
    json(value),
  ])
}

function claimsOf(index: number): Members {
  const claims = {
    iss: issuer,
    sub: `user-${index}`,
    aud: index % 3 === 0 ? [audience, 'https://other.example'] : audience,
    exp: now + 60 + index,
    iat: now - index,
    ...(index % 5 === 0 && { nbf: now - index }),
    jti: `token-${index}`,
  }
  return Object.entries(claims).map(([name, value]) => [name, json(value)])
}

/**
 * Makes an HMAC key whose secret is the text of the public key. A verifier that lets the token
 * choose the algorithm would accept its signatures.
 */
function confusedKey(key: SigningKey): SigningKey {
  const secret =
    key.algorithm.keyType === 'oct'
      ? Buffer.alloc(32)
      : keyObjectOf(key.verifyingKey).export({ type: 'spki', format: 'pem' })
  const hmac = importVector({ secret, algorithm: 'HS256', keyId })
  if (!canSign(hmac)) throw new Error('an HMAC key must be able to sign')
  return hmac
}

function edit(members: Members, edits: readonly Edit[]): Members {
  return edits.reduce<Members>((before, { how, name, value }) => {
    const without = before.filter(([other]) => other !== name)
    if (how === 'remove') return without
    return [...(how === 'add' ? before : without), [name, value]]
  }, members)
}

function spell(members: Members, spelling: Spelling): Buffer {
  const text = `{${members.map(([name, value]) => `${json(name)}:${value}`).join(',')}}`
  switch (spelling) {
    case 'plain':
      return Buffer.from(text)
    case 'byte order mark':
      return Buffer.from(`\ufeff${text}`)
    case 'white space':
      return Buffer.from(`\n ${text.replace(/[:,]/, ' $& ')}\t\r\n`)
    case 'trailing garbage':
      return Buffer.from(`${text}}`)
    case 'invalid UTF-8':
      return Buffer.concat([
        Buffer.from(`${text.slice(0, -1)},"y":"`),
        Buffer.of(0xc3),
        Buffer.from('"}'),
      ])
    default: // array around
      return Buffer.from(`[${text}]`)
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export function applyDamage(
  token: string,
  damage: Damage,
  pooled: (index: number) => string,
): string {
  const parts = token.split('.')
  const onSegment = (index: number, change: (segment: string) => string): string =>
    parts.map((part, at) => (at === index % parts.length ? change(part) : part)).join('.')
  const onSignature = (change: (bytes: Buffer) => Buffer): string =>
    onSegment(parts.length - 1, (part) =>
      change(Buffer.from(part, 'base64url')).toString('base64url'),
    )
  switch (damage.kind) {
    case 'flip a bit':
      return onSegment(damage.segment, (part) => {
        const bytes = Buffer.from(part, 'base64url')
        if (bytes.length > 0) bytes[damage.at % bytes.length]! ^= 1 << damage.bit
        return bytes.toString('base64url')
      })
    case 'change a character': {
      const at = damage.at % Math.max(token.length, 1)
      return token.slice(0, at) + damage.to + token.slice(at + 1)
    }
    case 'insert': {
      const at = damage.at % (token.length + 1)
      return token.slice(0, at) + damage.text + token.slice(at)
    }
    case 'set unused bits':
      return onSegment(
        damage.segment,
        (part) => part.slice(0, -1) + (alphabet[alphabet.indexOf(part.at(-1) ?? '') | 1] ?? ''),
      )
    case 'other alphabet':
      return onSegment(damage.segment, (part) => part.replaceAll('-', '+').replaceAll('_', '/'))
    case 'drop':
      return parts.filter((_, at) => at !== damage.segment % parts.length).join('.')
    case 'empty':
      return onSegment(damage.segment, () => '')
    case 'pad':
      return onSegment(damage.segment, (part) => part + damage.padding)
    case 'swap': {
      const [one, other] = [damage.segment % parts.length, damage.other % parts.length]
      return parts
        .map((part, at) => (at === one ? parts[other]! : at === other ? parts[one]! : part))
        .join('.')
    }
    case 'add a segment':
      return parts.toSpliced(damage.at, 0, damage.text).join('.')
    case 'cut the signature':
      return onSignature((bytes) =>
        damage.front ? bytes.subarray(damage.bytes) : bytes.subarray(0, -damage.bytes),
      )
    case 'extend the signature': {
      const more = Buffer.from(damage.bytes, 'hex')
      return onSignature((bytes) => Buffer.concat(damage.front ? [more, bytes] : [bytes, more]))
    }
    case 'signature of another token':
      return onSegment(parts.length - 1, () => pooled(damage.pooled).split('.')[2]!)
    default: // surround
      return damage.before + token + damage.after
  }
}
