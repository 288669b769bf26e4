// A client, its storage and its clock, and the server that it talks to: new for each test.
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

/** A clock that stands still until it is told to move, or is set. */
export interface StageClock {
  /** What somebody may set, and what nobody can. */
  wall: number
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

/** What the client keeps. */
interface Stored {
  readonly accessToken: string
  readonly refreshToken: string
}

export interface ClientStage {
  readonly server: TokenServer
  readonly clock: StageClock
  readonly storage: TokenStorage
  readonly client: ApiClient
  /** How often the client told of a sign-out. */
  readonly signOuts: number
  /** Another client, of the same storage and clock. */
  start(options?: Partial<ClientOptions>): ApiClient
  /** The URL of what a guard stands before. */
  items(): string
  /** What was sent there as a credential. */
  bearers(): readonly (string | undefined)[]
  /** How many refreshes the server was asked for. */
  refreshes(): number
  /** Answers requests for tokens by this. */
  answerTokens(status: number, body: string, headers?: Readonly<Record<string, string>>): void
  /** Holds back the answer to the first request for a route. */
  hold(route: string): { readonly arrived: Promise<void>; readonly release: () => void }
  stored(): Stored | undefined
  read(response: Response): Promise<Readonly<Record<string, string>>>
  /** Lets pass what needs no network. */
  settle(): Promise<void>
}

/** To be called in a `describe`. */
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
