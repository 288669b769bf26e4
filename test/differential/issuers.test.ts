// The programs of docs/guides/other-issuers.md verify the same changed tokens as jose with the
// checks that each issuer documents. Keystile must refuse every token that jose refuses. Where
// Keystile is stricter, this file names the rule.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { importJWK, jwtVerify, type JWK } from 'jose'
import { TokenError } from 'keystile'
import { exportPrivateJwk, exportPublicJwk, generateKey } from 'keystile/jwt'
import type { Why } from '../../packages/keystile/test-support/why.ts'
import { importPrograms, keyId, now, type Sample, type Trust } from '../conformance/issuers.ts'
import { anyValue, applyDamage, damage, type Damage } from './tokens.ts'

const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))
const isLong = process.env['KEYSTILE_LONG'] !== undefined
const numRuns = isLong ? 10_000 : 200
/** The rarest rules apply to a few of 10,000 tokens. */
const skip = isLong ? false : 'KEYSTILE_LONG=1 runs it'
const toleranceSeconds = 5

/** The rules that only Keystile applies, by the reason or the detail of the refusal. */
const stricterRules: readonly (readonly [rule: string, why: Why])[] = [
  ['canonical base64url (RFC 4648 §3.5)', /^a segment is not canonical base64url$/],
  ['kid is a string and names the key', /^"kid" is not a string$/],
  ['kid is a string and names the key', 'unknown_key'],
  ['strict JSON', /^the (header|payload) is /],
  ['iss, sub and exp required', /^"(iss|sub|exp)" is missing$/],
  ['registered claims have their types', /^"(exp|nbf|iat)" is not a finite number$/],
  ['registered claims have their types', /^"(iss|sub|jti)" is not a string$/],
  ['registered claims have their types', /^"aud" is neither a string nor an array of strings$/],
  ['typ is a string', /^"typ" is neither JWT nor at\+jwt$/],
  ['no claims of other tokens', /^an access token has no "(nonce|at_hash|c_hash|events)"/],
  ['no claims of other tokens', /^the claim "(typ|type|token_type)" says that this is not/],
  ['the claims of a type are strings', /^"(typ|type|token_type)" is not a string$/],
  ['no claims of other tokens', /^"token_use" is not access$/],
  ['aud is not its own client', /^"aud" names the client of the token/],
  ['aud binds the token, or else the named claim', 'wrong_audience'],
  ['aud binds the token, or else the named claim', /^"azp" is neither a string nor an array/],
  ['all claims that name the client name a listed one', 'wrong_client'],
  ['clients are strings', /^"(client_id|azp|cid|appid)" is empty or not a string$/],
  ['the identity has its types', /^"(sub|sid)" is empty/],
  ['the identity has its types', /^"auth_time" is not a finite number$/],
  ['the identity has its types', /^"acr" is not a string$/],
  ['scopes are scopes (RFC 6749 §3.3)', /^"(scope|scp|permissions)" is (not|neither) /],
]

interface Edit {
  readonly part: 'header' | 'claims'
  readonly name: string
  /** JSON; undefined removes the member. */
  readonly value: string | undefined
}

interface Change {
  /** Which of the tokens of the issuer is changed. */
  readonly from: Sample
  readonly edits: readonly Edit[]
  /** Whether another key signs, with the `kid` of the issuer's key. */
  readonly forged: boolean
  readonly damages: readonly Damage[]
}

/** Members of access tokens and other tokens, whichever issuer writes them. */
const claimNames =
  'iss sub aud exp nbf iat jti client_id azp cid appid scope scp permissions nonce at_hash c_hash' +
  ' events typ token_use sid auth_time acr toString __proto__'
const headerNames = ['alg', 'typ', 'kid', 'crit', 'jwk', 'jku', 'cty', 'toString']
const headerValues = [
  ...'RS256 ES256 HS256 PS256 none JWT jwt at+jwt id+jwt other'.split(' '),
  keyId,
  'JWT ',
  ['JWT'],
  ['exp'],
]

/** Times far from the limits, because both verifiers use the clock of this machine. */
const instant = fc.constantFrom(
  ...[-4_000, -600, 600, 3_000, 9_000].map((offset) => now + offset),
  now * 1000,
  String(now + 600),
  now + 600.5,
)

/** Makes changes of the tokens of an issuer, with values that occur in them or resemble these. */
function changesOf({ issuer }: Trust): fc.Arbitrary<Change> {
  const { token, refused, otherTenant, otherAudience } = issuer
  const samples = [token, ...refused.map(([, sample]) => sample)]
  const all = [...samples.map(({ claims }) => claims), otherTenant, otherAudience]
  const valuesOf = (name: string): readonly unknown[] => all.flatMap((claims) => claims[name] ?? [])
  const audiences = [...valuesOf('aud'), ...valuesOf('azp'), ...valuesOf('client_id')]
  const audienceLike = fc.oneof(
    fc.constantFrom(...audiences),
    fc.constantFrom(...audiences).map((one) => `${String(one)}/`),
    fc.constantFrom(...audiences).map((one) => String(one).toUpperCase()),
    fc.array(fc.constantFrom(...audiences, 'other', 1, null), { maxLength: 3 }),
    fc.constantFrom(...audiences).map((one) => [[one]]),
  )
  const valueFor = (name: string): fc.Arbitrary<string | undefined> => {
    const likely = ['aud', 'azp', 'client_id', 'cid', 'appid', 'iss'].includes(name)
      ? audienceLike
      : ['exp', 'nbf', 'iat', 'auth_time'].includes(name)
        ? instant
        : fc.constantFrom('x', 'ID', 'Refresh', 'id', 'a b', ['a', 'b'])
    const known = valuesOf(name)
    return fc.oneof(
      { weight: 4, arbitrary: likely.map((value) => JSON.stringify(value)) },
      {
        weight: known.length > 0 ? 4 : 0,
        arbitrary: fc.constantFrom(...known, '').map((value) => JSON.stringify(value)),
      },
      { weight: 2, arbitrary: anyValue.filter((text) => !text.includes('e400')) },
      { weight: 2, arbitrary: fc.constant(undefined) },
    )
  }
  const claimEdit = fc
    .constantFrom(...claimNames.split(' '), ...all.flatMap((claims) => Object.keys(claims)))
    .chain((name) => valueFor(name).map((value): Edit => ({ part: 'claims', name, value })))
  const headerEdit = fc
    .tuple(fc.constantFrom(...headerNames), fc.constantFrom(...headerValues, undefined))
    .map(([name, value]): Edit => ({ part: 'header', name, value: JSON.stringify(value) }))

  return fc.record({
    from: fc.oneof(
      { weight: 6, arbitrary: fc.constant(token) },
      { weight: 1, arbitrary: fc.constantFrom(...samples) },
    ),
    edits: fc.array(
      fc.oneof({ weight: 5, arbitrary: claimEdit }, { weight: 1, arbitrary: headerEdit }),
      { maxLength: 3 },
    ),
    forged: fc.oneof(
      { weight: 20, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    damages: fc.oneof(
      { weight: 6, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(damage, { minLength: 1, maxLength: 2 }) },
    ),
  })
}

function edited({ from, edits }: Change): Sample {
  const parts = { header: { ...from.header }, claims: { ...from.claims } }
  for (const { part, name, value } of edits) {
    const parsed: unknown = value === undefined ? undefined : JSON.parse(value)
    Object.defineProperty(parts[part], name, { value: parsed, enumerable: true, writable: true })
  }
  return parts
}

/** Verifies a token. Returns the refusal, otherwise undefined. */
type Verify<Refusal> = (token: string) => Promise<Refusal | undefined>

function keystileOf({ verifier }: Trust): Verify<TokenError> {
  return (token) =>
    verifier.verify(token).then(
      () => undefined,
      (error: unknown) => {
        assert.ok(error instanceof TokenError, String(error))
        return error
      },
    )
}

async function joseOf({ issuer, key }: Trust): Promise<Verify<string>> {
  const { options, check = () => true } = issuer
  const jwk = issuer.published ? exportPublicJwk(key) : exportPrivateJwk(key)
  const joseKey = await importJWK(jwk as JWK, issuer.algorithm)
  return async (token) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, joseKey, {
        ...options,
        clockTolerance: toleranceSeconds,
      })
      const { typ = 'JWT' } = protectedHeader
      if (!/^(application\/)?(at\+)?jwt$/i.test(typ)) return 'typ'
      return check(payload) ? undefined : 'the documented check'
    } catch (error) {
      return String(error)
    }
  }
}

/** Other keys than those of the issuers, with the same id. */
const twins = {
  RS256: generateKey('RS256', { keyId }),
  ES256: generateKey('ES256', { keyId }),
  HS256: generateKey('HS256', { keyId }),
} as const

/** How often each rule refused a token that jose accepts. */
const tally = new Map<string, number>()
const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1)

async function compare(trust: Trust): Promise<{ readonly accepted: number; refused: number }> {
  const jose = await joseOf(trust)
  const keystile = keystileOf(trust)
  const twin = twins[trust.issuer.algorithm]
  const sample = trust.issue(trust.issuer.token)
  const seen = { accepted: 0, refused: 0 }

  const property = fc.asyncProperty(changesOf(trust), async (change) => {
    const signed = trust.issue(edited(change), change.forged ? twin : trust.key)
    const token = change.damages.reduce(
      (damaged, step) => applyDamage(damaged, step, () => sample),
      signed,
    )
    const [refusedByJose, refusal] = await Promise.all([jose(token), keystile(token)])

    if (refusedByJose !== undefined) {
      assert.ok(refusal, `jose refuses (${refusedByJose}) and Keystile accepts: ${token}`)
      seen.refused += 1
      return
    }
    if (!refusal) {
      seen.accepted += 1
      return
    }
    const { reason, detail = '' } = refusal
    const rule = stricterRules.find(([, why]) =>
      typeof why === 'string' ? why === reason : why.test(detail),
    )
    assert.ok(
      rule,
      `jose accepts and Keystile refuses by an unnamed rule (${reason} ${detail}): ${token}`,
    )
    count(rule[0])
  })
  await fc.assert(property, { seed, numRuns })
  return seen
}

describe('the programs for other issuers, compared with jose', () => {
  it('each documented program agrees with jose, unless a stricter rule applies', async (t) => {
    t.diagnostic(`KEYSTILE_SEED=${seed}`)
    for (const trust of await importPrograms()) {
      const { accepted, refused } = await compare(trust)
      t.diagnostic(`${trust.issuer.name}: ${accepted} accepted and ${refused} refused by both`)
      assert.ok(accepted > numRuns / 10, 'too few tokens are good')
      assert.ok(refused > numRuns / 10, 'too few tokens are bad')
    }
  })

  it('each rule in stricterRules refuses at least one token that jose accepts', { skip }, (t) => {
    const rules = new Set(stricterRules.map(([rule]) => rule))
    for (const rule of rules)
      t.diagnostic(`refused by Keystile alone: ${tally.get(rule) ?? 0} by ${rule}`)
    assert.deepEqual(
      [...rules].filter((rule) => !tally.has(rule)),
      [],
    )
  })
})
