import { askIssuer, type Answer, type Fetch } from './ask-issuer.ts'
import { ClientError } from './client-error.ts'
import { sidOf } from './token-sid.ts'

export interface Credentials {
  readonly username: string
  readonly password: string
  /** Default: what the issuer gives to whoever asks for nothing in particular. */
  readonly scopes?: readonly string[]
}

/** What a login and a refresh bring. */
export interface Grant {
  readonly accessToken: string
  /** Empty where it is in a cookie. */
  readonly refreshToken: string
  /** `expires_in`, in milliseconds. */
  readonly lifetime: number
  /** For the next login from this device; in a cookie where the refresh token is. */
  readonly deviceSecret?: string
}

/** How sessions are begun, refreshed and ended at the issuer. All methods throw what `askIssuer` throws. */
export interface Endpoints {
  readonly refreshTokenIn: 'body' | 'cookie'
  /** @param deviceSecret what the last login from this device brought */
  login(credentials: Credentials, deviceSecret?: string): Promise<Grant>
  refresh(refreshToken: string): Promise<Grant>
  /** Ends the session of these tokens, and no other; where they do not say which it is, that of the cookie. */
  logout(tokens: Pick<Grant, 'accessToken' | 'refreshToken'>): Promise<void>
}

interface Issuer {
  /** Without a slash at its end. */
  readonly issuer: string
  readonly fetch: Fetch
}

/**
 * `POST /token` and `POST /revoke`: the refresh token comes and goes in bodies.
 *
 * @see RFC 6749 §4.3 §6, RFC 7009
 */
export function tokenEndpoints({ issuer, fetch }: Issuer): Endpoints {
  const post = (path: string, form: Readonly<Record<string, string>>): Promise<Answer> =>
    // No cookie is wanted, so none of another session of this origin is sent.
    askIssuer(fetch, `${issuer}${path}`, { method: 'POST', body: new URLSearchParams(form), credentials: 'omit' })
  return {
    refreshTokenIn: 'body',
    async login({ username, password, scopes }, deviceSecret) {
      const form = {
        grant_type: 'password',
        username,
        password,
        ...(scopes && { scope: scopes.join(' ') }),
        ...(deviceSecret !== undefined && { device_secret: deviceSecret }),
      }
      return grantOf(await post('/token', form), 'body')
    },
    async refresh(refreshToken) {
      return grantOf(await post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }), 'body')
    },
    async logout({ refreshToken }) {
      await post('/revoke', { token: refreshToken })
    },
  }
}

/** The same below `/session`: the refresh token is in a cookie that no script can read. */
export function cookieEndpoints({ issuer, fetch }: Issuer): Endpoints {
  const send = (method: string, path: string, json?: object): Promise<Answer> =>
    askIssuer(fetch, `${issuer}${path}`, {
      method,
      credentials: 'include',
      ...(json && { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } }),
    })
  return {
    refreshTokenIn: 'cookie',
    async login({ username, password, scopes }) {
      const json = { username, password, ...(scopes && { scope: scopes.join(' ') }) }
      return grantOf(await send('POST', '/session', json), 'cookie')
    },
    async refresh() {
      return grantOf(await send('POST', '/session/refresh'), 'cookie')
    },
    async logout({ accessToken }) {
      const sid = sidOf(accessToken)
      const query = sid === undefined ? '' : `?sid=${encodeURIComponent(sid)}`
      try {
        await send('DELETE', `/session${query}`)
      } catch (error) {
        if (!(error instanceof ClientError && error.code === 'invalid_grant')) throw error
        // The cookie is by now that of another login, or gone: the access token says which session is to end.
        const body = new URLSearchParams({ token: accessToken })
        await askIssuer(fetch, `${issuer}/revoke`, { method: 'POST', body, credentials: 'omit' })
      }
    },
  }
}

/** @throws {ClientError} for what no issuer answers: the page of a hotel that wants a login of its own, say */
function grantOf(answer: Answer, refreshTokenIn: Endpoints['refreshTokenIn']): Grant {
  const { access_token: accessToken, expires_in: seconds, refresh_token: inBody, device_secret: deviceSecret } = answer
  const refreshToken = refreshTokenIn === 'body' ? inBody : ''
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string' || typeof seconds !== 'number')
    throw new ClientError('temporarily_unavailable', 'The issuer answers without tokens')
  const tokens = { accessToken, refreshToken, lifetime: seconds * 1000 }
  return typeof deviceSecret === 'string' ? { ...tokens, deviceSecret } : tokens
}
