// The endpoints of the issuer that start, refresh and end sessions. There are two sets: one has the
// refresh token in request and response bodies, the other has it in a cookie.
import { askIssuer, type Answer, type Fetch } from './ask-issuer.ts'
import { ClientError, isInvalidGrant } from './client-error.ts'
import { sidOf } from './token-sid.ts'

/** A login from the start, or the second step of a login of a user who has a second factor. */
export type Credentials = (PasswordCredentials | LoginStep) & SecondFactorProof

interface PasswordCredentials {
  readonly username: string
  readonly password: string
  /** The requested scopes. Default: the default scopes of the issuer. */
  readonly scopes?: readonly string[]
  readonly authSession?: undefined
}

interface LoginStep {
  /** The `authSession` of the `ClientError` of the first step. */
  readonly authSession: string
}

interface SecondFactorProof {
  /** The code of the authenticator app. */
  readonly otp?: string
  readonly recoveryCode?: string
}

export interface IssuedTokens {
  readonly accessToken: string
  /** `undefined` if the refresh token is in a cookie. */
  readonly refreshToken?: string | undefined
  /** How long the access token is valid: `expires_in`, converted to milliseconds. */
  readonly lifetime: number
  /** Identifies this device at its next login. `undefined` if the device secret is in a cookie. */
  readonly deviceSecret?: string
}

/**
 * Starts, refreshes and ends sessions at the issuer. All methods throw the errors of `askIssuer`.
 */
export interface Endpoints {
  /** Whether the refresh token and the device secret are in cookies, instead of in bodies. */
  readonly usesCookies: boolean
  login(credentials: Credentials, deviceSecret?: string): Promise<IssuedTokens>
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
  const post = (
    path: string,
    form: Readonly<Record<string, string>>,
    init: RequestInit = {},
  ): Promise<Answer> =>
    // These endpoints need no cookie. With `omit`, the cookie of another session is never sent.
    askIssuer(fetch, `${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      credentials: 'omit',
      ...init,
    })

  return {
    usesCookies: false,
    async login(credentials, deviceSecret) {
      const form = {
        grant_type: 'password',
        ...wireLogin(credentials),
        ...(deviceSecret !== undefined && { device_secret: deviceSecret }),
      }
      return tokensInBody(await post('/token', form))
    },
    async refresh(refreshToken) {
      if (refreshToken === undefined) {
        throw new ClientError('invalid_grant', 'The stored session has no refresh token')
      }
      const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
      return tokensInBody(await post('/token', form))
    },
    async logout(tokens) {
      if (tokens?.refreshToken !== undefined)
        await post('/revoke', { token: tokens.refreshToken }, outlivesThePage)
    },
  }
}

/**
 * Uses the endpoints below `/session`. The refresh token is in a cookie that no script can read.
 * The methods also throw `no_cookie_sessions` if the issuer has no such endpoints.
 */
export function cookieEndpoints({ issuer, fetch }: Issuer): Endpoints {
  const send = (
    method: string,
    path: string,
    { json, ...init }: RequestInit & { readonly json?: object } = {},
  ): Promise<Answer> =>
    askIssuer(fetch, `${issuer}${path}`, {
      method,
      credentials: 'include',
      ...init,
      ...(json && {
        body: JSON.stringify(json),
        headers: { 'content-type': 'application/json' },
      }),
    }).catch(async (error: unknown) => {
      throw (await lacksCookieSessions(error, { issuer, fetch }))
        ? new ClientError('no_cookie_sessions', noCookieSessions(issuer), { cause: error })
        : error
    })

  return {
    usesCookies: true,
    async login(credentials) {
      const json = wireLogin(credentials)
      return tokensBesideCookie(await send('POST', '/session', { json }))
    },
    async refresh() {
      return tokensBesideCookie(await send('POST', '/session/refresh'))
    },
    async logout(tokens) {
      const sid = tokens && sidOf(tokens.accessToken)
      const query = sid === undefined ? '' : `?sid=${encodeURIComponent(sid)}`
      try {
        await send('DELETE', `/session${query}`, outlivesThePage)
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

/** Renames the members of a login to the names that the endpoints expect. */
function wireLogin(login: Credentials): Readonly<Record<string, string>> {
  const { otp, recoveryCode } = login
  return {
    ...(login.authSession === undefined
      ? { username: login.username, password: login.password }
      : { auth_session: login.authSession }),
    ...(otp !== undefined && { otp }),
    ...(recoveryCode !== undefined && { recovery_code: recoveryCode }),
    ...('scopes' in login && login.scopes && { scope: login.scopes.join(' ') }),
  }
}

/**
 * Whether a request failed because the issuer has no cookie sessions. An issuer without cookie
 * sessions answers 404, and a browser hides this 404 from a page of a different origin. So after a
 * 404, and after a request without an answer, this function reads the issuer's metadata.
 */
async function lacksCookieSessions(error: unknown, { issuer, fetch }: Issuer): Promise<boolean> {
  const isUnknown =
    error instanceof ClientError &&
    error.code === 'temporarily_unavailable' &&
    (error.status === undefined || error.status === 404)
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
  const { access_token: accessToken, expires_in: seconds } = answer
  if (typeof accessToken !== 'string' || typeof seconds !== 'number') throw withoutTokens()
  return { accessToken, lifetime: seconds * 1000 }
}

/**
 * Creates the error for an answer without tokens. Such an answer often comes from a different
 * server, such as the login page of a hotel's network.
 */
function withoutTokens(): ClientError {
  return new ClientError('temporarily_unavailable', 'The answer of the issuer has no tokens')
}
