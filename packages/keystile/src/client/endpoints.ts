// The endpoints of the issuer that start, refresh and end sessions. There are two sets: one has the
// refresh token in request and response bodies, the other has it in a cookie.
import {
  ask,
  askIssuer,
  requireAnswer,
  type Answer,
  type Asked,
  type Fetch,
  type Fields,
} from './ask-issuer.ts'
import { ClientError, isInvalidGrant } from './client-error.ts'
import { sidOf } from './token-claims.ts'

export interface IssuedTokens {
  readonly accessToken: string
  /** `undefined` if the refresh token is in a cookie. */
  readonly refreshToken?: string | undefined
  /** How long the access token is valid: `expires_in`, converted to milliseconds. */
  readonly lifetime: number
  /** Identifies this device at its next login. `undefined` if the device secret is in a cookie. */
  readonly deviceSecret?: string
  /** The recovery codes of a user who has set up a second factor in this login. */
  readonly recoveryCodes?: readonly string[]
}

/** What a login sends besides its parameters, unless a cookie has it. */
interface LoginSecrets {
  readonly deviceSecret: string | undefined
  /** The access token of the session that a step-up replaces. */
  readonly accessToken: string | undefined
}

/**
 * Starts, refreshes and ends sessions at the issuer. All methods throw the errors of `askIssuer`.
 */
export interface Endpoints {
  /** Whether the refresh token and the device secret are in cookies, instead of in bodies. */
  readonly usesCookies: boolean
  /** Sends a step of a login. Returns a refusal instead of throwing it. */
  login(fields: Fields, secrets: LoginSecrets): Promise<Asked>
  /**
   * Reads the tokens from the answer to the last step of a login.
   *
   * @throws {ClientError} `temporarily_unavailable` for an answer without tokens
   */
  tokensOf(answer: Answer): IssuedTokens
  /**
   * Refreshes a session, and returns its new tokens.
   *
   * @param refreshToken `undefined` if the refresh token is in a cookie
   */
  refresh(refreshToken: string | undefined): Promise<IssuedTokens>
  /** Ends only the session of these tokens. Without tokens, ends the session of the cookie. */
  logout(tokens: Pick<IssuedTokens, 'accessToken' | 'refreshToken'> | undefined): Promise<void>
}

interface Issuer {
  /** The URL of the issuer, without a slash at the end. */
  readonly issuer: string
  readonly fetch: Fetch
}

/**
 * The `fetch` option for logout requests. With this option, the browser sends the request even if
 * the user immediately closes the page.
 */
const outlivesThePage = { keepalive: true } satisfies RequestInit

/**
 * Uses `POST /token` and `POST /revoke`. The refresh token is in the bodies.
 *
 * @see RFC 6749 §4.3 §6, RFC 7009
 */
export function tokenEndpoints({ issuer, fetch }: Issuer): Endpoints {
  const post = (path: string, form: Fields, init: RequestInit = {}): Promise<Asked> =>
    // These endpoints need no cookie. With `omit`, the cookie of another session is never sent.
    ask(fetch, `${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      credentials: 'omit',
      ...init,
    })

  return {
    usesCookies: false,
    login: (fields, { deviceSecret, accessToken }) =>
      post('/token', {
        grant_type: 'password',
        ...fields,
        ...(deviceSecret !== undefined && { device_secret: deviceSecret }),
        ...(accessToken !== undefined && { access_token: accessToken }),
      }),
    tokensOf: tokensInBody,
    async refresh(refreshToken) {
      if (refreshToken === undefined) {
        throw new ClientError('invalid_grant', 'The stored session has no refresh token')
      }
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
      return tokensInBody(requireAnswer(await post('/token', form)))
    },
    async logout(tokens) {
      if (tokens?.refreshToken !== undefined)
        requireAnswer(await post('/revoke', { token: tokens.refreshToken }, outlivesThePage))
    },
  }
}

/**
 * Uses the endpoints below `/session`. The refresh token is in a cookie that no script can read.
 * The methods also throw `no_cookie_sessions` if the issuer has no such endpoints.
 */
export function cookieEndpoints({ issuer, fetch }: Issuer): Endpoints {
  const send = async (
    method: string,
    path: string,
    { json, ...init }: RequestInit & { readonly json?: object } = {},
  ): Promise<Asked> => {
    const asked = await ask(fetch, `${issuer}${path}`, {
      method,
      credentials: 'include',
      ...init,
      ...(json && {
        body: JSON.stringify(json),
        headers: { 'content-type': 'application/json' },
      }),
    })
    const { refusal: cause } = asked
    if (!cause || !(await lacksCookieSessions(cause, { issuer, fetch }))) return asked
    const refusal = new ClientError('no_cookie_sessions', noCookieSessions(issuer), { cause })
    return { answer: {}, refusal }
  }

  return {
    usesCookies: true,
    login(fields) {
      const { max_age: age } = fields
      const json = { ...fields, ...(age !== undefined && { max_age: Number(age) }) }
      return send('POST', '/session', { json })
    },
    tokensOf: tokensBesideCookie,
    async refresh() {
      return tokensBesideCookie(requireAnswer(await send('POST', '/session/refresh')))
    },
    async logout(tokens) {
      const sid = tokens && sidOf(tokens.accessToken)
      const query = sid === undefined ? '' : `?sid=${encodeURIComponent(sid)}`
      try {
        requireAnswer(await send('DELETE', `/session${query}`, outlivesThePage))
      } catch (error) {
        if (!isInvalidGrant(error) || !tokens) throw error

        // There is no cookie, or it belongs to another login. The access token identifies the
        // session to end.
        const body = new URLSearchParams({ token: tokens.accessToken })
        await askIssuer(fetch, `${issuer}/revoke`, {
          method: 'POST',
          body,
          credentials: 'omit',
          ...outlivesThePage,
        })
      }
    },
  }
}

/**
 * Whether a request failed because the issuer has no cookie sessions. An issuer without cookie
 * sessions answers 404, and a browser hides this 404 from a page of a different origin. So after a
 * 404, and after a request without an answer, this function reads the issuer's metadata.
 */
async function lacksCookieSessions(
  error: ClientError,
  { issuer, fetch }: Issuer,
): Promise<boolean> {
  const isUnknown =
    error.code === 'temporarily_unavailable' && (error.status === undefined || error.status === 404)
  if (!isUnknown) return false

  const url = `${issuer}/.well-known/oauth-authorization-server`
  const metadata = await askIssuer(fetch, url, { credentials: 'omit' }).catch((): Answer => ({}))
  return (
    typeof metadata['issuer'] === 'string' && metadata['keystile_session_endpoint'] === undefined
  )
}

function noCookieSessions(issuer: string): string {
  return (
    `storage: 'cookie' needs cookie sessions, which ${issuer} does not have. ` +
    'Fix: set cookieSession: true in createKeystile(), ' +
    'or KEYSTILE_COOKIE_SESSION=true on a stand-alone server'
  )
}

/**
 * Reads the access token and the refresh token from an answer.
 *
 * @throws {ClientError} `temporarily_unavailable` for an answer without tokens
 */
function tokensInBody(answer: Answer): IssuedTokens {
  const { refresh_token: refreshToken, device_secret: deviceSecret } = answer
  if (typeof refreshToken !== 'string') throw withoutTokens()
  const tokens = { ...tokensBesideCookie(answer), refreshToken }
  return typeof deviceSecret === 'string' ? { ...tokens, deviceSecret } : tokens
}

/**
 * Reads the access token from an answer whose refresh token is in a cookie.
 *
 * @throws {ClientError} `temporarily_unavailable` for an answer without an access token
 */
function tokensBesideCookie(answer: Answer): IssuedTokens {
  const { access_token: accessToken, expires_in: seconds, recovery_codes: codes } = answer
  if (typeof accessToken !== 'string' || typeof seconds !== 'number') throw withoutTokens()
  const tokens = { accessToken, lifetime: seconds * 1000 }
  return Array.isArray(codes) ? { ...tokens, recoveryCodes: codes.map(String) } : tokens
}

/**
 * Creates the error for an answer without tokens. Such an answer often comes from a different
 * server, such as the login page of a hotel's network.
 */
function withoutTokens(): ClientError {
  return new ClientError('temporarily_unavailable', 'The answer of the issuer has no tokens')
}
