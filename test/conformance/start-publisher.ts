// A small issuer in node:http on the loopback. It publishes keys; the tests sign tokens with them.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportPublicJwk, signJwt, type SigningKey } from 'keystile/jwt'

export interface Publisher {
  /** The issuer's URL, which has a path. */
  readonly issuer: string
  readonly jwksUri: string
  /** The paths that were requested, in order. */
  readonly asked: string[]
  publish(...keys: readonly SigningKey[]): void
  /** Redirects requests to another path from now on. */
  redirect(): void
  /** Lets requests wait from now on. The function that it returns answers them. */
  hold(): () => void
  stop(): Promise<void>
}

export async function startPublisher(...keys: readonly SigningKey[]): Promise<Publisher> {
  let published = keys
  const asked: string[] = []
  let held: Promise<void> | undefined
  let redirects = false
  const server = createServer(async (request, response) => {
    asked.push(request.url!)
    await held
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant`
    const answers: Readonly<Record<string, object>> = {
      '/.well-known/oauth-authorization-server/tenant': {
        issuer,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: [],
      },
      '/tenant/jwks': { keys: published.map(exportPublicJwk) },
    }
    const answer = answers[request.url!]
    if (redirects) response.writeHead(302, { location: '/elsewhere' }).end()
    else if (answer)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant`
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    asked,
    publish(...others) {
      published = others
    },
    redirect() {
      redirects = true
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/**
 * Signs an access token in the profile of RFC 9068. `claims` replace its usual claims; the value
 * `undefined` removes a claim.
 */
export function accessTokenOf(
  key: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  type = 'at+jwt',
): string {
  const usual = { sub: 'alice', client_id: 'app', sid: 's1', jti: 'j1', scope: 'items:read' }
  const expiresInSeconds = { expiresInSeconds: 600 }
  const given = Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined)
  return signJwt(Object.fromEntries(given), key, {
    type,
    ...(claims['exp'] === undefined && expiresInSeconds),
  })
}
