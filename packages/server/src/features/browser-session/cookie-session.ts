import {
  OAuthError,
  ProblemError,
  type HttpAnswer,
  type HttpRequestWithBody,
  type Logger,
} from 'keystile/internal'
import type { Meter } from '../../feature/metric.ts'
import { describeFields, readFields, strictFields, stringField } from '../../http/json-body.ts'
import { describeRefusal, refusalAnswer } from '../../http/refusal.ts'
import { emptyAnswer, jsonAnswer, queryOf, type OpenRoute } from '../../http/route.ts'
import { addressOf } from '../audit/audit.ts'
import { firstParty } from '../clients/clients.ts'
import { countGrant } from '../oauth/count-grant.ts'
import type { Granted, GrantCaller } from '../oauth/grants/grant.ts'
import { passwordGrant, type PasswordGrantParts } from '../oauth/grants/password.ts'
import { refreshTokenGrant, type RefreshParts } from '../oauth/grants/refresh-token.ts'
import { tokenSchema, wireTokens } from '../oauth/token.ts'
import type { Lifetimes } from '../sessions/lifetimes.ts'
import type { ProvedRefreshToken } from '../sessions/refresh.ts'
import type { SessionEnds } from '../sessions/session-ends.ts'
import {
  cookieName,
  createSessionCookies,
  readDeviceSecret,
  readRefreshTokens,
  type SessionCookies,
} from './session-cookie.ts'

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

/** What the three routes share. */
interface RouteParts extends CookieSessionParts {
  readonly cookies: SessionCookies
  /** @throws {ProblemError} `forbidden` for another origin, or none */
  checkOrigin(request: HttpRequestWithBody): void
}

/**
 * A session whose refresh token no script can read: it is in a cookie that the browser sends to
 * these routes alone. `POST /session` logs in, `POST /session/refresh` gets the next access token,
 * `DELETE /session` logs out. The client is `first-party`. Grants, refusals and work are those of
 * `POST /token`.
 *
 * Each route checks the `Origin` before it reads anything: it must be the issuer's or a listed one.
 * Browsers send it with every POST and DELETE, so a request without one, or with `null`, is not
 * from such a page. Does NOT prove who sends the request where there is no browser: the check keeps
 * other pages from using a cookie, and a thief of the token needs no page.
 *
 * @see RFC 9700 §2.1.2, RFC 6265 §5
 */
export function cookieSessionRoutes(options: CookieSessionParts): readonly OpenRoute[] {
  const { issuer, corsOrigins, lifetimes } = options
  // No refresh lasts longer. Where the session ends before, the next refresh clears the cookie.
  const maxAgeSeconds = Math.min(lifetimes.sessionSeconds, lifetimes.idleSeconds)
  const cookies = createSessionCookies({ path: cookiePathOf(issuer), maxAgeSeconds })
  const checkOrigin = createOriginCheck([new URL(issuer).origin, ...corsOrigins])

  const parts = { ...options, cookies, checkOrigin }
  return [loginRoute(parts), refreshRoute(parts), logoutRoute(parts)]
}

/** The path that the browser sends the cookies to: `POST /session` and what is below it. */
export function cookiePathOf(issuer: string): string {
  return `${new URL(issuer).pathname.replace(/\/$/, '')}/session`
}

const sessionRoute = { below: 'issuer', refusals: 'oauth' } as const
const originRefusal = { 403: 'The Origin is neither that of the issuer nor a listed one' }
const setCookie = {
  'Set-Cookie': `${cookieName}: the refresh token, or nothing when it is cleared`,
}

const { refresh_token: _, device_secret: __, ...shownProperties } = tokenSchema.properties
const shownSchema = {
  ...tokenSchema,
  properties: shownProperties,
  required: Object.keys(shownProperties),
}

const loginFields = strictFields({
  username: stringField().meta({ description: 'The user name or the e-mail address' }),
  password: stringField().meta({ format: 'password' }),
  scope: stringField()
    .default('')
    .meta({ description: 'Scopes with a space between them; without any, all that may be had' }),
})

function loginRoute(parts: RouteParts): OpenRoute {
  const { meter, cookies, checkOrigin } = parts
  return {
    ...sessionRoute,
    method: 'POST',
    path: '/session',
    doc: {
      tag: 'Tokens',
      summary: 'Log in from a browser',
      description: `As POST /token, but the refresh token is in the cookie ${cookieName}, which no script can read.`,
      body: { type: 'json', schema: describeFields(loginFields) },
      success: {
        status: 200,
        description: 'An access token',
        schema: shownSchema,
        headers: setCookie,
      },
      refuses: { ...originRefusal, 429: 'Too many tries' },
    },
    async handle(request) {
      checkOrigin(request)

      const { username, password, scope } = await readFields(loginFields, request)
      const values = {
        username: filled(username),
        password: filled(password),
        scope: filled(scope),
        device_secret: filled(readDeviceSecret(request)),
      }
      const issuing = passwordGrant.issue(values, callerOf(request), parts)
      return tokenAnswer(await countGrant(meter, 'login', issuing), cookies)
    },
  }
}

function refreshRoute(parts: RouteParts): OpenRoute {
  const { meter, cookies, checkOrigin } = parts
  return {
    ...sessionRoute,
    method: 'POST',
    path: '/session/refresh',
    doc: {
      tag: 'Tokens',
      summary: 'Refresh from a browser',
      description: `Takes the refresh token from the cookie ${cookieName}, and sets the next.`,
      success: {
        status: 200,
        description: 'An access token',
        schema: shownSchema,
        headers: setCookie,
      },
      refuses: {
        ...originRefusal,
        400: 'There is no cookie, or it is good for nothing',
        503: 'Not available at the moment',
      },
    },
    async handle(request) {
      checkOrigin(request)

      const [token, another] = readRefreshTokens(request)
      // Nothing tells which one is ours. Clearing would remove ours alone, and the browser would
      // then send the one that a sibling domain has set.
      if (another !== undefined)
        throw new OAuthError('invalid_grant', `The cookie ${cookieName} is there twice`)
      if (token === undefined)
        throw new OAuthError('invalid_grant', `There is no cookie ${cookieName}: log in first`)

      const issuing = refreshTokenGrant.issue({ refresh_token: token }, callerOf(request), parts)
      return countGrant(meter, 'refresh', issuing).then(
        (granted) => tokenAnswer(granted, cookies),
        (error: unknown) => clearedRefusal(error, parts),
      )
    },
  }
}

function logoutRoute({ refresher, ends, cookies, checkOrigin }: RouteParts): OpenRoute {
  return {
    ...sessionRoute,
    method: 'DELETE',
    path: '/session',
    doc: {
      tag: 'Tokens',
      summary: 'Log out from a browser',
      description: `Ends the session of the cookie ${cookieName}, if there is one, and clears the cookie.`,
      query: {
        sid: {
          type: 'string',
          description: 'The sid of the access token: end this session and no other',
        },
      },
      success: { status: 204, description: 'Logged out', headers: setCookie },
      refuses: {
        ...originRefusal,
        400: 'The cookie is not that of sid',
        503: 'Not available at the moment',
      },
    },
    async handle(request) {
      checkOrigin(request)

      const sid = queryOf(request).get('sid')
      const meant: ProvedRefreshToken[] = []
      for (const token of readRefreshTokens(request)) {
        const proved = await refresher.find(token)
        // Only this client's sessions: a cookie with the token of another client is not from here.
        if (proved?.clientId === firstParty.id && (sid === null || proved.sessionId === sid))
          meant.push(proved)
      }
      // A page may not know of a later login by another user, whose session and cookie must stay.
      if (sid !== null && meant.length === 0)
        throw new OAuthError(
          'invalid_grant',
          `The cookie ${cookieName} is not that of the session that sid names`,
        )

      // A second cookie, from a sibling domain, does not keep anyone from logging out.
      for (const { sessionId, subject } of meant)
        await ends.end(sessionId, { actor: `user:${subject}`, address: addressOf(request) })
      return { ...emptyAnswer, cookies: cookies.cleared }
    },
  }
}

function createOriginCheck(allowed: readonly string[]): RouteParts['checkOrigin'] {
  const origins = new Set(allowed)
  return ({ headers }) => {
    const origin = headers.get('origin')
    // RFC 6749 has no code for it: the answer is 403 with `invalid_request`.
    if (!origin || !origins.has(origin))
      throw new ProblemError('forbidden', `The Origin must be one of ${[...origins].join(', ')}`)
  }
}

function callerOf(request: HttpRequestWithBody): GrantCaller {
  const device = request.headers.get('user-agent') ?? undefined
  return { ...firstParty, device, address: addressOf(request) }
}

/** An empty value counts as absent, as in a form (RFC 6749 §3.2). */
function filled(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/** An answer whose refresh token and device secret are in cookies. */
function tokenAnswer(granted: Granted, cookies: SessionCookies): HttpAnswer {
  const { refresh_token, device_secret, ...shown } = wireTokens(granted)
  if (refresh_token === undefined)
    throw new Error('the first-party client must get a refresh token')

  return { ...jsonAnswer(200, shown), cookies: cookies.set(refresh_token, device_secret) }
}

/** Refuses and clears a cookie that is invalid. Where its validity is unknown, the cookie stays. */
function clearedRefusal(error: unknown, { logger, issuer, cookies }: RouteParts): HttpAnswer {
  if (!(error instanceof OAuthError) || error.code !== 'invalid_grant') throw error

  logger.debug(describeRefusal(error), 'a cookie is refused and cleared')
  return { ...refusalAnswer(error, 'oauth', issuer), cookies: cookies.cleared }
}
