import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { tokenReasons, tokenStatus, type TokenReason } from '../base/token-reasons.ts'
import type { HttpAnswer } from '../http/message.ts'
import { generateKey } from '../keys/generate-key.ts'
import { keySetOf } from '../keys/jwk-set.ts'
import { signJws } from '../token/jws.ts'
import { verifyJwt } from '../token/jwt.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuardCore } from './guard.ts'
import type { RefusedRequest } from './refusal-report.ts'
import { createVerifier, type VerifierOptions } from './verifier.ts'

const now = 1_800_000_000 // seconds
const key = generateKey('ES256')
const { keyId: kid } = key
const stranger = generateKey('ES256', kid === undefined ? {} : { keyId: kid })
const good = {
  iss: 'i',
  aud: 'a',
  sub: 'ada',
  client_id: 'c',
  sid: 's',
  jti: 'j',
  iat: now,
  exp: now + 60,
}

interface Cause {
  /** The `Authorization` field. */
  readonly field?: string
  readonly demand?: {
    readonly scopes?: readonly string[]
    readonly maxAgeSeconds?: number
    readonly acr?: string
    readonly verified?: true
  }
  readonly verifier?: Partial<VerifierOptions>
  readonly user?: GuardOptions<string, object>['user']
  readonly isClosed?: boolean
}

/** Returns an `Authorization` field whose signed token has these claims and header members. */
function bearer(claims: object = {}, header: object = {}, by = key): string {
  const payload = JSON.stringify({ ...good, ...claims })
  return `Bearer ${signJws({ alg: 'ES256', kid, typ: 'at+jwt', ...header }, payload, by)}`
}

/** What a guard tells the caller, the app and the log about a refused request. */
interface Told {
  readonly error: TokenError
  readonly answer: HttpAnswer
  readonly refused: readonly RefusedRequest[]
  readonly logged: readonly (readonly [level: keyof Logger, fields: object, message: string])[]
}

async function refusalOf({
  field,
  demand,
  verifier: changes,
  user,
  isClosed,
}: Cause): Promise<Told> {
  const verifier = createVerifier({
    issuer: 'i',
    audience: 'a',
    ...(changes?.fetch ? {} : { keys: keySetOf([key]) }),
    revocations: 'none',
    clock: { now: () => now * 1000 },
    ...changes,
  })
  if (isClosed) verifier.close()
  const refused: RefusedRequest[] = []
  const logged: [keyof Logger, object, string][] = []
  const log =
    (level: keyof Logger) =>
    (fields: object, message: string): void =>
      void logged.push([level, fields, message])
  const guard = createGuardCore<string, object>({
    verifier,
    ...(user && { user }),
    onRefused: (told) => refused.push(told),
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  })
  const headers = new Headers(field === undefined ? {} : { authorization: field })
  const args = demand ? ([demand] as [typeof demand]) : []
  const decision = await guard.check(
    { method: 'GET', url: '/', headers },
    guard.demand(args, false),
  )
  assert.ok(!decision.allowed, 'the request must be refused')
  return { ...decision, refused, logged }
}

const noNews = { state: 'stale', isRevoked: () => false, refresh: async () => {} } as const
const allRevoked = { state: 'current', isRevoked: () => true, refresh: async () => {} } as const
const offline = {
  issuer: 'https://auth.example',
  fetch: () => Promise.reject(new Error('offline')),
}

/** For each reason: a request and a verifier that cause it, or a function that causes it. */
const causes: Readonly<Record<TokenReason, Cause | (() => unknown)>> = {
  no_credential: {},
  malformed_credential: { field: 'Bearer two tokens' },
  verifier_closed: { field: bearer(), isClosed: true },
  token_too_long: { field: `Bearer ${'a'.repeat(16_385)}` },
  malformed_token: { field: 'Bearer abc' },
  unknown_extension: { field: bearer({}, { crit: ['b64'] }) },
  unknown_algorithm: { field: bearer({}, { alg: 'none' }) },
  forbidden_algorithm: { field: bearer(), verifier: { algorithms: ['RS256'] } },
  keys_unavailable: { field: bearer({ iss: 'https://auth.example' }), verifier: offline },
  unknown_key: { field: bearer({}, { kid: 'another' }) },
  wrong_signature: { field: bearer({}, {}, stranger) },
  wrong_type: { field: bearer({}, { typ: 'JWT' }) },
  malformed_claim: { field: bearer({ sub: 7 }) },
  wrong_issuer: { field: bearer({ iss: 'another' }) },
  wrong_audience: { field: bearer({ aud: 'another' }) },
  // Only `verifyJwt` can expect a particular subject. A guard never does.
  wrong_subject: () =>
    verifyJwt(bearer().slice(7), key, {
      issuer: 'i',
      audience: 'a',
      subject: 'bob',
      clock: { now: () => now * 1000 },
    }),
  wrong_client: { field: bearer(), verifier: { tokenType: 'JWT', clients: ['another'] } },
  missing_claim: { field: bearer({ client_id: undefined }) },
  not_yet_valid: { field: bearer({ nbf: now + 60 }) },
  expired: { field: bearer({ exp: now - 60 }) },
  revocations_unavailable: { field: bearer(), verifier: { revocations: noNews } },
  revoked: { field: bearer(), verifier: { revocations: allRevoked } },
  login_too_old: { field: bearer({ auth_time: now - 600 }), demand: { maxAgeSeconds: 60 } },
  login_too_weak: { field: bearer({ acr: 'pwd' }), demand: { acr: 'mfa' } },
  missing_scope: { field: bearer({ scope: 'read' }), demand: { scopes: ['write'] } },
  unknown_user: { field: bearer(), user: () => undefined },
  email_not_verified: {
    field: bearer(),
    demand: { verified: true },
    user: () => ({ emailVerified: false }),
  },
  refused_by_app: {
    field: bearer(),
    user() {
      throw new TokenError('invalid_token', 'Not today')
    },
  },
  service_unavailable: {
    field: bearer(),
    user() {
      throw new TokenError('temporarily_unavailable', 'The database is away')
    },
  },
}

describe('TokenReason', () => {
  for (const [reason, cause] of Object.entries(causes)) {
    it(`the code and status of ${reason} are those in tokenReasons and tokenStatus`, async () => {
      const error = typeof cause === 'function' ? thrownBy(cause) : (await refusalOf(cause)).error
      const { code } = tokenReasons[reason as TokenReason]
      assert.deepEqual([error.reason, error.code, error.status], [reason, code, tokenStatus[code]])
    })
  }

  for (const [reason, cause] of Object.entries(causes)) {
    if (typeof cause === 'function') continue // no guard refuses with this reason

    it(`onRefused and the log get the reason ${reason}, but not the token`, async () => {
      const { error, refused, logged } = await refusalOf(cause)
      const told = { code: error.code, reason, method: 'GET', route: undefined }
      assert.deepEqual(refused, [told])
      const detail = error.detail === undefined ? {} : { detail: error.detail }
      assert.deepEqual(logged, [['debug', { ...told, ...detail }, 'refused']])

      const [, credential = ''] = cause.field?.split(' ') ?? []
      for (const part of credential.split('.').filter((text) => text.length > 3))
        assert.doesNotMatch(JSON.stringify([refused, logged]), new RegExp(part))
    })

    it(`the answer for ${reason} has only expected members, parameters and headers`, async () => {
      const { error, answer } = await refusalOf(cause)
      const { status, headers, body = '' } = answer
      const { title, ...problem } = JSON.parse(body)
      assert.equal(typeof title, 'string')
      const code = reason === 'email_not_verified' ? { code: reason } : {}
      assert.deepEqual(problem, { type: 'about:blank', status, detail: error.message, ...code })

      const challenge = headers['www-authenticate']
      const parameters = [...(challenge ?? '').matchAll(/(\w+)="[^"]*"/g)].map(([, name]) => name)
      assert.deepEqual(parameters, challenge === undefined ? [] : parametersOf(error))
      assert.equal(challenge === undefined, status === 503 || reason === 'email_not_verified')
      const others = ['content-type', 'cache-control', 'retry-after', 'www-authenticate']
      assert.deepEqual(
        Object.keys(headers).filter((name) => !others.includes(name)),
        [],
      )
    })
  }

  it('the tests in this file cover every TokenReason', () => {
    assert.deepEqual(Object.keys(causes).toSorted(), Object.keys(tokenReasons).toSorted())
  })
})

/** The parameters that the challenge of a refusal has (RFC 6750 §3, RFC 9470 §3). */
function parametersOf({ code, reason }: TokenError): readonly string[] {
  if (code === 'not_authenticated') return ['realm']
  const ofItsOwn = {
    missing_scope: 'scope',
    login_too_old: 'max_age',
    login_too_weak: 'acr_values',
  }
  const [, own] = Object.entries(ofItsOwn).find(([name]) => name === reason) ?? []
  return ['realm', 'error', 'error_description', ...(own === undefined ? [] : [own])]
}

function thrownBy(act: () => unknown): TokenError {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof TokenError, String(error))
    return error
  }
  return assert.fail('an error must be thrown')
}
