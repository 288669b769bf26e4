import { askIssuer, type Answer, type Fetch } from './ask-issuer.ts'
import { ClientError } from './client-error.ts'
import { sidOf } from './token-sid.ts'

export interface Credentials {
  readonly username: string
  readonly password: string
  /** Default: the scopes that the issuer grants by default. */
  readonly scopes?: readonly string[]
}

/** The answer to a login or a refresh. */
export interface IssuedTokens {
  readonly accessToken: string
  /** `undefined` where it is in a cookie. */
  readonly refreshToken?: string | undefined
  /** `expires_in`, in milliseconds. */
  readonly lifetime: number
  /** For the next login from this device. It is in a cookie where the refresh token is. */
  readonly deviceSecret?: string
}

/** Begins, refreshes and ends sessions at the issuer. All methods throw what `askIssuer` throws. */
export interface Endpoints {
  readonly refreshTokenIn: 'body' | 'cookie'
  /** @param deviceSecret the one that the last login from this device brought */
  login(credentials: Credentials, deviceSecret?: string): Promise<IssuedTokens>
  /** @param refreshToken `undefined` where it is in a cookie */
  refresh(refreshToken: string | undefined): Promise<IssuedTokens>
  /** Ends the session of these tokens and no other. Without tokens, ends that of the cookie. */
  logout(tokens: Pick<IssuedTokens, 'accessToken' | 'refreshToken'> | undefined): Promise<void>
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
    // No cookie is needed, so the cookie of another session of this origin must not be sent.
    askIssuer(fetch, `${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      credentials: 'omit',
    })

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
      if (tokens?.refreshToken !== undefined) await post('/revoke', { token: tokens.refreshToken })
    },
  }
}

/** The same below `/session`: the refresh token is in a cookie that no script can read. */
export function cookieEndpoints({ issuer, fetch }: Issuer): Endpoints {
  const send = (method: string, path: string, json?: object): Promise<Answer> =>
    askIssuer(fetch, `${issuer}${path}`, {
      method,
      credentials: 'include',
      ...(json && {
        body: JSON.stringify(json),
        headers: { 'content-type': 'application/json' },
      }),
    })

  return {
    refreshTokenIn: 'cookie',
    async login({ username, password, scopes }) {
      const json = { username, password, ...(scopes && { scope: scopes.join(' ') }) }
      return tokensBesideCookie(await send('POST', '/session', json))
    },
    async refresh() {
      return tokensBesideCookie(await send('POST', '/session/refresh'))
    },
    async logout(tokens) {
      const sid = tokens && sidOf(tokens.accessToken)
      const query = sid === undefined ? '' : `?sid=${encodeURIComponent(sid)}`
      try {
        await send('DELETE', `/session${query}`)
      } catch (error) {
        const isRefused = error instanceof ClientError && error.code === 'invalid_grant'
        if (!isRefused || !tokens) throw error
        // The cookie is gone or belongs to another login. The access token names the session to
        // end.
        const body = new URLSearchParams({ token: tokens.accessToken })
        await askIssuer(fetch, `${issuer}/revoke`, { method: 'POST', body, credentials: 'omit' })
      }
    },
  }
}

function tokensInBody(answer: Answer): IssuedTokens {
  const { refresh_token: refreshToken, device_secret: deviceSecret } = answer
  if (typeof refreshToken !== 'string') throw withoutTokens()
  const tokens = { ...tokensBesideCookie(answer), refreshToken }
  return typeof deviceSecret === 'string' ? { ...tokens, deviceSecret } : tokens
}

function tokensBesideCookie(answer: Answer): IssuedTokens {
  const { access_token: accessToken, expires_in: seconds } = answer
  if (typeof accessToken !== 'string' || typeof seconds !== 'number') throw withoutTokens()
  return { accessToken, lifetime: seconds * 1000 }
}

/** For an answer that does not come from an issuer, such as the login page of a hotel's network. */
function withoutTokens(): ClientError {
  return new ClientError('temporarily_unavailable', 'The issuer answers without tokens')
}
