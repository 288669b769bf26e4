// A Keystile in a node:http server on a free port of the loopback, for programs that only speak
// HTTP.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IssuingAlgorithm } from '@keystile/server'
import type { Jwk } from 'keystile/jwt'
import { mount, type NodeMiddleware } from 'keystile/node'
import {
  byOperator,
  startEmbedded,
  type NewClient,
} from '../../packages/server/test-support/whole-server.ts'

export const issuingAlgorithms: readonly IssuingAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

export interface Person {
  readonly username: string
  readonly password: string
}

export interface RunningIssuer {
  /** Has a path, so that clients must find the metadata where RFC 8414 §3.1 puts it. */
  readonly issuer: string
  register(person: Person): Promise<void>
  /** Adds a client as `keystile client create` does. @returns its secret */
  addClient(client: NewClient): Promise<string | undefined>
  stop(): Promise<void>
}

/** Starts an issuer whose users hold `items:read` and `items:write`. */
export async function startIssuer(options: {
  readonly signingAlgorithm?: IssuingAlgorithm
  readonly signingKey?: Jwk
  readonly audience?: string
}): Promise<RunningIssuer> {
  let answer: NodeMiddleware | undefined
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    answer!(request, response, () => response.writeHead(404).end())
  const server = createServer((request, response) => void handle(request, response)).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`
  const { keystile, clients } = await startEmbedded({
    issuer,
    database: ':memory:',
    scopes: { 'items:read': 'Read items', 'items:write': 'Change items' },
    defaultScopes: ['items:read', 'items:write'],
    ...options,
  })
  answer = mount(keystile)
  return {
    issuer,
    async register({ username, password }) {
      const response = await fetch(`${issuer}/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username, email: `${username}@example.com`, password }),
      })
      if (response.status !== 201)
        throw new Error(`${username} cannot register: ${await response.text()}`)
    },
    async addClient(client) {
      const created = await clients.create(client, byOperator)
      if (created === 'taken') throw new Error(`${client.id} is taken`)
      return created.secret
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await keystile.close()
    },
  }
}
