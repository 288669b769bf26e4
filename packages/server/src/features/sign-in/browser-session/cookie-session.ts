// The endpoints of a session in a browser: login, refresh and logout.
import {
  OAuthError,
  type HttpAnswer,
  type HttpRequestWithBody,
  type Logger,
} from 'keystile/internal'
import type { Meter } from '../../../feature/metric.ts'
import { addressOf } from '../../../http/address.ts'
import { emptyAnswer, jsonAnswer } from '../../../http/answers.ts'
import { createOriginCheck } from '../../../http/origin.ts'
import { describeRefusal, refusalAnswer } from '../../../http/refusal.ts'
import { queryOf } from '../../../http/request.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { firstParty } from '../../tokens/clients/clients.ts'
import { countGrant } from '../../tokens/oauth/count-grant.ts'
import {
  authorizationCodeGrant,
  type AuthorizationCodeParts,
} from '../../tokens/oauth/grants/authorization-code.ts'
import { callerOf, type Granted } from '../../tokens/oauth/grants/grant.ts'
import { refreshTokenGrant, type RefreshParts } from '../../tokens/oauth/grants/refresh-token.ts'
import {
  hasDemand,
  isLaterStep,
  logIn,
  requireStep,
  type LoginEndpointParts,
  type LoginValues,
  type NamedSession,
} from '../../tokens/oauth/login-endpoint.ts'
import { invalidSession } from '../../tokens/oauth/login-refusals.ts'
import { nextStepRefusal, tokenSchema, wireTokens } from '../../tokens/oauth/token-answer.ts'
import type { Lifetimes } from '../../tokens/sessions/lifetimes.ts'
import type { ProvedRefreshToken } from '../../tokens/sessions/refresh.ts'
import type { SessionEnds } from '../../tokens/sessions/session-ends.ts'
import { readDeviceSecret } from '../known-devices/device-cookie.ts'
import { loginBody, readLogin } from './login-fields.ts'
import {
  cookieName,
  createSessionCookies,
  readOnlyRefreshToken,
  readRefreshTokens,
  type SessionCookies,
} from './session-cookie.ts'

export interface CookieSessionParts
  extends LoginEndpointParts, AuthorizationCodeParts, RefreshParts {
  readonly logger: Logger
  readonly meter: Meter
  readonly issuer: string
  /** Origins whose pages may use the routes, besides the origin of the issuer. */
  readonly corsOrigins: readonly string[]
  readonly ends: Pick<SessionEnds, 'end'>
  readonly lifetimes: Pick<Lifetimes, 'sessionSeconds' | 'idleSeconds'>
}

interface RouteParts extends CookieSessionParts {
  readonly cookies: SessionCookies
  /**
   * Refuses a request from a page whose origin is not allowed.
   *
   * @throws {ProblemError} `forbidden` if the header `Origin` is missing or its value is not an
   *   allowed origin
   */
  checkOrigin(request: HttpRequestWithBody): void
}

/**
 * Returns the routes of a session whose refresh token is in a cookie. No script can read the
 * cookie, so cross-site scripting cannot steal the token. The browser sends the cookie to these
 * routes only. `POST /session` logs in, `POST /session/refresh` gets the next access token, `DELETE
 * /session` logs out. The client is `first-party`. The routes use the same grants, and refuse for
 * the same reasons, as `POST /token`.
 *
 * Against cross-site request forgery, each route first checks the header `Origin`. The origin must
 * be the origin of the issuer or one of `corsOrigins`. Browsers send this header with every POST
 * and DELETE. So a request without the header, or with the value `null`, does not come from a page
 * of an allowed origin.
 *
 * Does NOT prove that a browser sent the request. The check only stops other pages from using the
 * cookie. An attacker who has the token itself can send any `Origin`.
 *
 * @see RFC 9700 §2.1.2, RFC 6265 §5
 */
export function cookieSessionRoutes(options: CookieSessionParts): readonly OpenRoute[] {
  const { issuer, corsOrigins, lifetimes } = options
  // After this time, no refresh is possible. If the session ends earlier, the next refresh clears
  // the cookie.
  const maxAgeSeconds = Math.min(lifetimes.sessionSeconds, lifetimes.idleSeconds)
  const cookies = createSessionCookies({ issuer, maxAgeSeconds })
  const checkOrigin = createOriginCheck([new URL(issuer).origin, ...corsOrigins])

  const parts = { ...options, cookies, checkOrigin }
  return [loginRoute(parts), refreshRoute(parts), logoutRoute(parts)]
}

const sessionRoute = { below: 'issuer', refusals: 'oauth' } as const
const originRefusal = { 403: 'The Origin must be the origin of the issuer or a listed origin' }
const setCookie = {
  'Set-Cookie': `${cookieName}: the refresh token, or empty to clear the cookie`,
}

const { refresh_token: _, device_secret: __, ...shownProperties } = tokenSchema.properties
const shownSchema = {
  ...tokenSchema,
  properties: shownProperties,
}

/** `POST /session`: logs in. */
function loginRoute(parts: RouteParts): OpenRoute {
  const { meter, cookies, checkOrigin } = parts
  return {
    ...sessionRoute,
    method: 'POST',
    path: '/session',
    doc: {
      tag: 'Tokens',
      summary: 'Log in from a browser',
      description:
        `Like POST /token, but the refresh token is in the cookie ${cookieName}, ` +
        'which no script can read. With a code, starts the session of POST /authorize-challenge. ' +
        'With max_age or acr_values, the login replaces the session of the cookie, and a second ' +
        'factor alone may be enough.',
      body: {
        type: 'json',
        schema: loginBody,
      },
      success: {
        status: 200,
        description: 'An access token',
        schema: shownSchema,
        headers: setCookie,
      },
      refuses: {
        403: `${originRefusal[403]}. Or: ${nextStepRefusal}`,
        429: 'Too many tries',
      },
    },
    async handle(request) {
      checkOrigin(request)

      const values: LoginValues = {
        ...(await readLogin(request)),
        // As in the body, an empty value counts as missing.
        device_secret: readDeviceSecret(request) || undefined,
      }
      const caller = callerOf(request, firstParty)
      if (values['code'] !== undefined) {
        const issuing = authorizationCodeGrant.issue(values, caller, parts)
        return tokenAnswer(await countGrant(meter, 'login', issuing), cookies)
      }

      const replaces = await findReplaced(request, values, parts)
      if (!replaces) requireStep(values)
      const issuing = logIn({ front: 'session', replaces }, values, caller, parts)
      return tokenAnswer(await countGrant(meter, 'login', issuing), cookies)
    },
  }
}

/**
 * Returns the session that a login replaces: the one of the cookie, if this is the first step of a
 * login with a demand. Undefined otherwise.
 *
 * @throws {OAuthError} `invalid_session` if the cookie is invalid or old, `invalid_grant` if there
 *   are two
 */
async function findReplaced(
  request: HttpRequestWithBody,
  values: LoginValues,
  { refresher }: RouteParts,
): Promise<NamedSession | undefined> {
  if (!hasDemand(values) || isLaterStep(values)) return undefined
  const token = readOnlyRefreshToken(request)
  if (token === undefined) return undefined
  const proved = await refresher.find(token)
  if (!proved || proved.isOld) throw invalidSession()
  return { id: proved.sessionId, scopes: proved.scopes }
}

/** `POST /session/refresh`: gets the next access token. */
function refreshRoute(parts: RouteParts): OpenRoute {
  const { meter, cookies, checkOrigin } = parts
  return {
    ...sessionRoute,
    method: 'POST',
    path: '/session/refresh',
    doc: {
      tag: 'Tokens',
      summary: 'Refresh from a browser',
      description: `Reads the refresh token from the cookie ${cookieName}, and sets the next one.`,
      success: {
        status: 200,
        description: 'An access token',
        schema: shownSchema,
        headers: setCookie,
      },
      refuses: {
        ...originRefusal,
        400: 'The cookie is missing or invalid',
        503: 'Not available at the moment',
      },
    },
    async handle(request) {
      checkOrigin(request)

      const token = readOnlyRefreshToken(request)
      if (token === undefined)
        throw new OAuthError('invalid_grant', `There is no cookie ${cookieName}: log in first`)

      const caller = callerOf(request, firstParty)
      const issuing = refreshTokenGrant.issue({ refresh_token: token }, caller, parts)
      return countGrant(meter, 'refresh', issuing).then(
        (granted) => tokenAnswer(granted, cookies),
        (error: unknown) => clearedRefusal(error, parts),
      )
    },
  }
}

/**
 * `DELETE /session`: ends the session of the cookie, and clears the cookie. If the query has a
 * `sid`, the cookie must belong to the session with this id. Otherwise the route refuses the
 * request. A request without a cookie and without a `sid` succeeds, although it ends no session.
 */
function logoutRoute({ refresher, ends, cookies, checkOrigin }: RouteParts): OpenRoute {
  return {
    ...sessionRoute,
    method: 'DELETE',
    path: '/session',
    doc: {
      tag: 'Tokens',
      summary: 'Log out from a browser',
      description:
        `Ends the session of the cookie ${cookieName}, if there is one, ` +
        'and clears the cookie.',
      query: {
        sid: {
          type: 'string',
          description: 'The sid of the access token. Only this session is ended',
        },
      },
      success: { status: 204, description: 'Logged out', headers: setCookie },
      refuses: {
        ...originRefusal,
        400: 'The cookie belongs to another session than sid, or there are more than ten cookies',
        503: 'Not available at the moment',
      },
    },
    async handle(request) {
      checkOrigin(request)

      const sid = queryOf(request).get('sid')
      const meant: ProvedRefreshToken[] = []
      for (const token of readRefreshTokens(request)) {
        const proved = await refresher.find(token)
        // Ends only sessions of `first-party`, because these routes never set the token of a
        // different client.
        if (proved?.clientId === firstParty.id && (sid === null || proved.sessionId === sid))
          meant.push(proved)
      }
      // Another user may have logged in on another page in the meantime. The session and the cookie
      // of that user must stay.
      if (sid !== null && meant.length === 0)
        throw new OAuthError(
          'invalid_grant',
          `The cookie ${cookieName} must belong to the session that sid names`,
        )

      // Ends the sessions of all cookies: a second cookie, set by a sibling domain, must not stop a
      // user from logging out.
      for (const { sessionId, subject } of meant)
        await ends.end(sessionId, { actor: `user:${subject}`, address: addressOf(request) })
      return { ...emptyAnswer, cookies: cookies.cleared }
    },
  }
}

/**
 * Makes the answer with the tokens. The refresh token and the device secret go into cookies and
 * never into the body, where a script could read them.
 */
function tokenAnswer(granted: Granted, cookies: SessionCookies): HttpAnswer {
  const { refresh_token, device_secret, ...shown } = wireTokens(granted)
  if (refresh_token === undefined)
    throw new Error('the first-party client must get a refresh token')

  return { ...jsonAnswer(200, shown), cookies: cookies.set(refresh_token, device_secret) }
}

/**
 * Returns the answer that refuses an invalid cookie and clears it. Rethrows all other errors:
 * during an outage, for example, the cookie may still be valid, so the browser must keep it.
 */
function clearedRefusal(error: unknown, { logger, issuer, cookies }: RouteParts): HttpAnswer {
  if (!(error instanceof OAuthError) || error.code !== 'invalid_grant') throw error

  logger.debug(describeRefusal(error), 'an invalid cookie was refused and cleared')
  return { ...refusalAnswer(error, 'oauth', issuer), cookies: cookies.cleared }
}
