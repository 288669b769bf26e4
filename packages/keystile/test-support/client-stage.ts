// A client with its storage, clock and server, which are reset before each test.
import { after, before, beforeEach } from 'node:test'
import {
  createClient,
  memoryStorage,
  type ApiClient,
  type ClientOptions,
  type TokenStorage,
} from 'keystile/client'
import { startTokenServer, type TokenServer } from './token-server.ts'

export const ada = { username: 'ada', password: 'right' }

/** A clock whose time changes only when a test changes it. */
export interface StageClock {
  /** The time of day, which a user can change. */
  wall: number
  /** The time since the start, which nothing can set back. */
  monotonic: number
  now(): number
  elapsed(): number
  advance(seconds: number): void
}

function createStageClock(): StageClock {
  const clock: StageClock = {
    wall: Date.UTC(2026, 10, 25),
    monotonic: 0,
    now: () => clock.wall,
    elapsed: () => clock.monotonic,
    advance(seconds) {
      clock.wall += seconds * 1000
      clock.monotonic += seconds * 1000
    },
  }
  return clock
}

/** What the client stores. */
interface Stored {
  readonly accessToken: string
  readonly refreshToken: string
}

export interface ClientStage {
  readonly server: TokenServer
  readonly clock: StageClock
  readonly storage: TokenStorage
  readonly client: ApiClient
  /** How often the client reported a sign-out. */
  readonly signOuts: number
  /** Makes another client with the same storage and clock. */
  start(options?: Partial<ClientOptions>): ApiClient
  /** The URL of the guarded route. */
  items(): string
  /** The `Authorization` headers of the requests to the guarded route. */
  bearers(): readonly (string | undefined)[]
  /** How many refresh requests the server received. */
  refreshes(): number
  /** From now on, all token requests get this answer. */
  answerTokens(status: number, body: string, headers?: Readonly<Record<string, string>>): void
  /** Delays the answer to the first request for a route until `release` is called. */
  hold(route: string): { readonly arrived: Promise<void>; readonly release: () => void }
  stored(): Stored | undefined
  read(response: Response): Promise<Readonly<Record<string, string>>>
  /** Waits until all pending work that needs no network is done. */
  settle(): Promise<void>
}

/** Makes the stage and resets it before each test. Call it in a `describe`. */
export function stageClient(): ClientStage {
  let server: TokenServer
  let clock: StageClock
  let storage: TokenStorage
  let client: ApiClient
  let signOuts: number
  before(async () => {
    server = await startTokenServer()
  })
  after(() => server.close())
  beforeEach(() => {
    server.endSessions()
    server.forget()
    server.instead = undefined
    server.accessTokenSeconds = 600
    clock = createStageClock()
    storage = memoryStorage()
    client = stage.start()
    signOuts = 0
    client.onSignOut(() => signOuts++)
  })

  const stage: ClientStage = {
    get server() {
      return server
    },
    get clock() {
      return clock
    },
    get storage() {
      return storage
    },
    get client() {
      return client
    },
    get signOuts() {
      return signOuts
    },
    start: (options = {}) => createClient({ issuer: server.issuer, storage, clock, ...options }),
    items: () => `${server.origin}/items`,
    bearers: () => server.askedFor('GET /items').map(({ headers }) => headers.authorization),
    refreshes: () => server.askedFor('refresh').length,
    answerTokens(status, body, headers = {}) {
      server.instead = ({ route }, response) =>
        route === 'POST /auth/token' && Boolean(response.writeHead(status, headers).end(body))
    },
    hold(route) {
      const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      server.instead = async (asked) => {
        if (asked.route !== route || server.askedFor(route).length > 1) return false
        arrived.resolve()
        await released.promise
        return false
      }
      return { arrived: arrived.promise, release: () => released.resolve() }
    },
    stored() {
      const text = storage.read(`keystile:${server.issuer}`)
      return typeof text === 'string' ? (JSON.parse(text) as Stored) : undefined
    },
    read: async (response) => (await response.json()) as Record<string, string>,
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  }
  return stage
}
