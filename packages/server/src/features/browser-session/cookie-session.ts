import { OAuthError, ProblemError, type HttpAnswer, type HttpRequestWithBody, type Logger } from 'keystile/internal'
import type { Meter } from '../../feature/metric.ts'
import {
  checkFields,
  describeFields,
  readJsonObject,
  refuseFaults,
  strictFields,
  stringField,
} from '../../http/json-body.ts'
import { describeRefusal, refusalAnswer } from '../../http/refusal.ts'
import { emptyAnswer, jsonAnswer, queryOf, type OpenRoute } from '../../http/route.ts'
import { addressOf } from '../audit/audit.ts'
import { firstParty } from '../clients/clients.ts'
import { deviceSeconds } from '../known-devices/devices.ts'
import type { Lifetimes } from '../sessions/lifetimes.ts'
import type { ProvedRefreshToken } from '../sessions/refresh.ts'
import type { SessionEnds } from '../sessions/session-ends.ts'
import { countGrant } from '../oauth/count-grant.ts'
import type { Granted, GrantCaller } from '../oauth/grants/grant.ts'
import { passwordGrant, type PasswordGrantParts } from '../oauth/grants/password.ts'
import { refreshTokenGrant, type RefreshParts } from '../oauth/grants/refresh-token.ts'
import { tokenSchema, wireTokens } from '../oauth/token.ts'

/** What sessions in a browser need. */
export interface CookieSessionParts extends PasswordGrantParts, RefreshParts {
  readonly logger: Logger
  readonly meter: Meter
  readonly issuer: string
  /** Origins whose pages may ask, beside the issuer's own. */
  readonly corsOrigins: readonly string[]
  readonly ends: Pick<SessionEnds, 'end'>
  readonly lifetimes: Pick<Lifetimes, 'sessionSeconds' | 'idleSeconds'>
}

/** A browser takes a cookie of this prefix only over TLS or from itself, and only with `Secure` (RFC 6265bis §4.1.3.1). */
const cookieName = '__Secure-keystile'
/** Says that somebody has logged in here before, and stays when they log out. */
const deviceCookieName = `${cookieName}-device`

const login = strictFields({
  username: stringField().meta({ description: 'The user name or the e-mail address' }),
  password: stringField().meta({ format: 'password' }),
  scope: stringField()
    .default('')
    .meta({ description: 'Scopes with a space between them; without any, all that may be had' }),
})

const { refresh_token: _, device_secret: __, ...shownProperties } = tokenSchema.properties
const shownSchema = { ...tokenSchema, properties: shownProperties, required: Object.keys(shownProperties) }

/**
 * A session whose refresh token no script can read: it lives in a cookie that the browser sends to these routes and to
 * nothing else. `POST /session` logs in, `POST /session/refresh` gets the next access token, `DELETE /session` logs out; the
 * client is `first-party`. Grants, refusals and work are those of `POST /token`.
 *
 * The `Origin` is checked before anything is read: it must be the issuer's or a listed one. Browsers send it with every
 * POST and DELETE, so a request without one, or with `null`, is no page of ours. Does NOT prove who sends it where there is
 * no browser: the check keeps other people's pages from using a cookie, and whoever has the token needs no page.
 *
 * @see RFC 9700 §2.1.2, RFC 6265 §5
 */
export function cookieSessionRoutes(parts: CookieSessionParts): readonly OpenRoute[] {
  const { meter, issuer, corsOrigins, refresher, ends, lifetimes, logger } = parts
  const origins = new Set([new URL(issuer).origin, ...corsOrigins])
  const attributes = `Path=${cookiePathOf(issuer)}; Secure; HttpOnly; SameSite=Strict`
  // No refresh gives more than this; where the session ends before, the next refresh finds that out and clears the cookie.
  const maxAgeSeconds = Math.min(lifetimes.sessionSeconds, lifetimes.idleSeconds)
  const cleared = [`${cookieName}=; Max-Age=0; ${attributes}`]

  function checkOrigin({ headers }: HttpRequestWithBody): void {
    if (!origins.has(headers.get('origin') ?? ''))
      throw new ProblemError('forbidden', `The Origin must be one of ${[...origins].join(', ')}`)
  }

  function answerOf(granted: Granted): HttpAnswer {
    const { refresh_token, device_secret, ...shown } = wireTokens(granted)
    const cookies = [`${cookieName}=${refresh_token}; Max-Age=${maxAgeSeconds}; ${attributes}`]
    if (device_secret !== undefined)
      cookies.push(`${deviceCookieName}=${device_secret}; Max-Age=${deviceSeconds}; ${attributes}`)
    return { ...jsonAnswer(200, shown), cookies }
  }

  /** A cookie that is good for nothing goes with the refusal; while nobody can know, it stays. */
  function clearWith(error: unknown): HttpAnswer {
    if (!(error instanceof OAuthError) || error.code !== 'invalid_grant') throw error
    logger.debug(describeRefusal(error), 'a cookie is refused and cleared')
    const refused = refusalAnswer(error, 'oauth', issuer)!
    return { ...refused, cookies: cleared }
  }

  const common = { method: 'POST', below: 'issuer', refusals: 'oauth' } as const
  const refuses = { 403: 'The Origin is neither that of the issuer nor a listed one' }
  const sets = { 'Set-Cookie': `${cookieName}: the refresh token, or nothing when it is cleared` }
  return [
    {
      ...common,
      path: '/session',
      doc: {
        tag: 'Tokens',
        summary: 'Log in from a browser',
        description: `As POST /token, but the refresh token is in the cookie ${cookieName}, which no script can read.`,
        body: { type: 'json', schema: describeFields(login) },
        success: { status: 200, description: 'An access token', schema: shownSchema, headers: sets },
        refuses: { ...refuses, 429: 'Too many tries' },
      },
      async handle(request) {
        checkOrigin(request)
        const { errors, fields } = checkFields(login, await readJsonObject(request))
        refuseFaults(errors)
        const { username, password, scope } = fields!
        const [deviceSecret] = readCookies(request, deviceCookieName)
        const values = {
          username: textOf(username),
          password: textOf(password),
          scope: textOf(scope),
          device_secret: textOf(deviceSecret),
        }
        const issuing = passwordGrant.issue(values, callerOf(request), parts)
        return answerOf(await countGrant(meter, 'login', issuing))
      },
    },
    {
      ...common,
      path: '/session/refresh',
      doc: {
        tag: 'Tokens',
        summary: 'Refresh from a browser',
        description: `Takes the refresh token from the cookie ${cookieName}, and sets the next.`,
        success: { status: 200, description: 'An access token', schema: shownSchema, headers: sets },
        refuses: {
          ...refuses,
          400: 'There is no cookie, or it is good for nothing',
          503: 'Not available at the moment',
        },
      },
      async handle(request) {
        checkOrigin(request)
        const [token, another] = readCookies(request, cookieName)
        // Nothing says which is ours. Neither is cleared: the wrong one might stay.
        if (another !== undefined) throw new OAuthError('invalid_grant', `The cookie ${cookieName} is there twice`)
        if (token === undefined) throw new OAuthError('invalid_grant', `There is no cookie ${cookieName}: log in first`)
        const issuing = refreshTokenGrant.issue({ refresh_token: token }, callerOf(request), parts)
        return countGrant(meter, 'refresh', issuing).then(answerOf, clearWith)
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/session',
      doc: {
        tag: 'Tokens',
        summary: 'Log out from a browser',
        description: `Ends the session of the cookie ${cookieName}, if there is one, and clears the cookie.`,
        query: { sid: { type: 'string', description: 'The sid of the access token: end this session and no other' } },
        success: { status: 204, description: 'Logged out', headers: sets },
        refuses: { ...refuses, 400: 'The cookie is not that of sid', 503: 'Not available at the moment' },
      },
      async handle(request) {
        checkOrigin(request)
        const sid = queryOf(request).get('sid')
        const meant: ProvedRefreshToken[] = []
        for (const token of readCookies(request, cookieName)) {
          const proved = await refresher.find(token)
          // The session of another client is not this one's to end; what brought its token here is no cookie of ours.
          if (proved?.clientId === firstParty.id && (sid === null || proved.sessionId === sid)) meant.push(proved)
        }
        // A page may not know that somebody else has logged in since, whose session and cookie stay.
        if (sid !== null && meant.length === 0)
          throw new OAuthError('invalid_grant', `The cookie ${cookieName} is not that of the session that sid names`)
        // Where a neighbouring domain has set a second one, that is no reason not to log out.
        for (const { sessionId, subject } of meant)
          await ends.end(sessionId, { actor: `user:${subject}`, address: addressOf(request) })
        return { ...emptyAnswer, cookies: cleared }
      },
    },
  ]
}

function callerOf(request: HttpRequestWithBody): GrantCaller {
  const device = request.headers.get('user-agent') ?? undefined
  return { ...firstParty, device, address: addressOf(request) }
}

/** What is empty counts as absent, as in a form (RFC 6749 §3.2). */
function textOf(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/** Where the browser sends the cookie: `POST /session`, and what is below it. */
export function cookiePathOf(issuer: string): string {
  return `${new URL(issuer).pathname.replace(/\/$/, '')}/session`
}

/**
 * The values of the cookies of this name, as they were sent: neither unquoted nor decoded. Anybody who has a sibling
 * domain can set one beside ours (cookie tossing).
 *
 * @see RFC 6265 §4.2.1 §8.6
 */
function readCookies({ headers }: HttpRequestWithBody, name: string): readonly string[] {
  return (headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}
