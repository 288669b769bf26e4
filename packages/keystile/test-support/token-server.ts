// An issuer and an API on one loopback port, with only what the client needs: POST /token and
// /revoke, the variant with a cookie below /session, and the guarded route /items. It records all
// requests. A test can make it answer wrongly, see `instead`.
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request that the server received. */
export interface Asked {
  /** The method and the path: `POST /auth/token`. */
  readonly route: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface TokenServer {
  readonly origin: string
  readonly issuer: string
  /** All requests, in order. */
  readonly asked: readonly Asked[]
  /** The requests for a route. The route `refresh` means all refreshes, by token or by cookie. */
  askedFor(route: string): readonly Asked[]
  accessTokenSeconds: number
  /** Called and awaited for each request. If it returns true, it has sent the answer itself. */
  instead:
    | ((
        asked: Asked,
        response: ServerResponse,
      ) => boolean | undefined | Promise<boolean | undefined>)
    | undefined
  /** Makes the API refuse all access tokens that were issued so far. */
  refuseAccessTokens(): void
  /** Ends all sessions. */
  endSessions(): void
  /** The files at other paths, with their content types. */
  readonly files: Map<string, { readonly type: string; readonly body: string }>
  /** Clears the recorded requests. */
  forget(): void
  close(): Promise<void>
}

interface Login {
  readonly username: string
  readonly sid: string
  /** The refresh token before the newest. */
  used: string
  /** The newest refresh token. */
  newest: string
}

const cookieName = 'keystile_test'

export async function startTokenServer(port = 0): Promise<TokenServer> {
  let asked: Asked[] = []
  let count = 0
  const logins = new Map<string, Login>()
  const accessTokens = new Map<string, Login>()

  function grant(login: Login): object {
    // The client reads only this part of a JWT, so the other parts are not real.
    const payload = Buffer.from(JSON.stringify({ sid: login.sid })).toString('base64url')
    const accessToken = `access-${++count}.${payload}.`
    accessTokens.set(accessToken, login)
    return {
      access_token: accessToken,
      token_type: 'bearer',
      expires_in: server.accessTokenSeconds,
      scope: '',
    }
  }

  function begin({ username, password }: Readonly<Record<string, string>>): Login | undefined {
    if (password !== 'right') return undefined
    const login = {
      username: username!,
      sid: `session-${++count}`,
      used: '',
      newest: `refresh-${++count}`,
    }
    logins.set(login.newest, login)
    return login
  }

  /**
   * Rotates a refresh token. A client may send the token before the newest again, and gets the
   * newest token. An older token ends the session.
   */
  function refresh(token: string): Login | undefined {
    const login = logins.get(token)
    if (!login) return undefined
    if (token === login.newest) {
      login.used = token
      login.newest = `refresh-${++count}`
      logins.set(login.newest, login)
    } else if (token !== login.used) {
      end(login)
      return undefined
    }
    return login
  }

  function end(login: Login | undefined): void {
    for (const all of [logins, accessTokens])
      for (const [token, other] of all) if (other === login) all.delete(token)
  }

  function respond({ route, headers, body }: Asked, response: ServerResponse): void {
    const json = (
      status: number,
      value: object,
      more: Readonly<Record<string, string>> = {},
    ): void =>
      void response
        .writeHead(status, {
          'content-type': 'application/json',
          'cache-control': 'no-store',
          ...more,
        })
        .end(JSON.stringify(value))
    const grantOr400 = (login: Login | undefined, inCookie: boolean): void => {
      if (!login)
        return json(400, { error: 'invalid_grant', error_description: 'Not valid, or no longer' })
      if (!inCookie) return json(200, { ...grant(login), refresh_token: login.newest })
      json(200, grant(login), {
        'set-cookie': `${cookieName}=${login.newest}; HttpOnly; SameSite=Strict; Path=/auth`,
      })
    }
    const form = Object.fromEntries(new URLSearchParams(body))
    const cookie = new RegExp(`${cookieName}=([^;]+)`).exec(headers.cookie ?? '')?.[1] ?? ''
    const sid = /^DELETE \/auth\/session\?sid=(.+)$/.exec(route)?.[1]
    if (sid !== undefined && sid !== logins.get(cookie)?.sid) return grantOr400(undefined, true)
    switch (sid === undefined ? route : 'DELETE /auth/session') {
      case 'POST /auth/token':
        return grantOr400(
          form['grant_type'] === 'refresh_token' ? refresh(form['refresh_token']!) : begin(form),
          false,
        )
      case 'POST /auth/revoke':
        end(logins.get(form['token']!) ?? accessTokens.get(form['token']!))
        return json(200, {})
      case 'POST /auth/session':
        return grantOr400(begin(JSON.parse(body)), true)
      case 'POST /auth/session/refresh':
        return grantOr400(refresh(cookie), true)
      case 'DELETE /auth/session':
        end(logins.get(cookie))
        return void response
          .writeHead(204, { 'set-cookie': `${cookieName}=; Max-Age=0; Path=/auth` })
          .end()
      case 'GET /items':
      case 'POST /items': {
        const login = accessTokens.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
        if (login) return json(200, { owner: login.username, body })
        const error = headers.authorization ? ', error="invalid_token"' : ''
        return json(401, {}, { 'www-authenticate': `Bearer realm="test"${error}` })
      }
    }
    const file = server.files.get(route.replace('GET ', ''))
    response
      .writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' })
      .end(file?.body)
  }

  const listener = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const one = { route: `${request.method} ${request.url}`, headers: request.headers, body }
    asked.push(one)
    if (!(await server.instead?.(one, response))) respond(one, response)
  }
  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`

  const server: TokenServer = {
    origin,
    issuer: `${origin}/auth`,
    get asked() {
      return asked
    },
    askedFor: (route) =>
      asked.filter((one) =>
        route === 'refresh'
          ? one.route === 'POST /auth/session/refresh' ||
            one.body.startsWith('grant_type=refresh_token')
          : one.route === route,
      ),
    accessTokenSeconds: 600,
    instead: undefined,
    refuseAccessTokens: () => accessTokens.clear(),
    endSessions: () => {
      logins.clear()
      accessTokens.clear()
    },
    files: new Map(),
    forget: () => {
      asked = []
    },
    async close() {
      listener.closeAllConnections()
      listener.close()
      await once(listener, 'close')
    },
  }
  return server
}
