// A pool of connections to PostgreSQL, in the form that Kysely needs. It survives connections that
// break, a restart of the database, a failover and an outage.
import type { PostgresPool } from 'kysely'
import { createLine, type Line } from './line.ts'
import { cancelStatement } from './postgres-cancel.ts'
import {
  createPool,
  createProbe,
  queryMilliseconds,
  requestConnections,
  type Pool,
  type PoolClient,
  type Query,
  type TypeParsers,
} from './postgres-client.ts'
import { commit, type Notice } from './postgres-commit.ts'
import {
  classifyConnectionError,
  classifyStatementError,
  isFailure,
  isUsableAfter,
  PostgresUnavailableError,
} from './postgres-errors.ts'
import { watchForOutages, type OutageWatch } from './postgres-outage.ts'

/**
 * The longest time that a request waits for a connection. Clients do not wait much longer than
 * this.
 */
const lineMilliseconds = 2_000

// The ids of types in PostgreSQL's `pg_type`.
const int8 = 20
const int4 = 23

/**
 * Parses integers, such as times, to numbers, and all other values to strings. Each query gets
 * these parsers. They are not set on the pool, because the pool may belong to the app, which may
 * need other parsers.
 */
const typeParsers: TypeParsers = {
  getTypeParser: (oid) => (oid === int8 || oid === int4 ? Number : (text) => text),
}

/**
 * Returns the pool in three forms that Kysely can use. `pool` is for the feed of revocations.
 * `requestPool` is for requests. Its queue leaves one connection free, so requests never delay the
 * feed, except if the pool has only one connection. `migrationPool` is for migrations: its
 * statements have no timeout. The feed does not get a separate pool, because the database might
 * refuse more connections than the app's pool has. `close` does NOT close a pool that belongs to
 * the app.
 */
export async function connectPostgres(source: string | Pool): Promise<{
  readonly pool: PostgresPool
  readonly requestPool: PostgresPool
  readonly migrationPool: PostgresPool
  close(): Promise<void>
}> {
  const pool = typeof source === 'string' ? await createPool(source) : source
  // Without a listener, an idle connection that breaks would end the process. The next query
  // reports the error.
  pool.on('error', () => {})
  const connections = createConnections(pool, { isOwn: typeof source === 'string' })
  const places = (pool.options?.max ?? requestConnections) - 1
  const line = createLine(Math.max(1, places), lineMilliseconds)
  return {
    pool: convertingPool(connections),
    requestPool: convertingPool(connections, { line }),
    migrationPool: convertingPool(connections, { timeout: 0 }),
    async close() {
      connections.close()
      if (typeof source === 'string') await pool.end()
    },
  }
}

interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** How long to wait for the reply, in milliseconds. 0: until the connection ends. */
  readonly timeout: number
}

interface Connection {
  readonly isReused: boolean
  /** @throws {PostgresUnavailableError} if the database was not available */
  ask(statement: Statement): Promise<unknown>
  /**
   * Gives the connection back to the pool, or closes it if it cannot be used again. The caller must
   * call this exactly once.
   *
   * @param onFree called when the pool has the connection back
   */
  release(mustClose?: boolean, onFree?: () => void): void
}

interface Connections {
  /** @throws {PostgresUnavailableError} */
  take(): Promise<Connection>
  close(): void
}

/** Takes connections from a pool. A connection that broke or did not answer is never used again. */
function createConnections(pool: Pool, { isOwn }: { readonly isOwn: boolean }): Connections {
  const states = watchStates(pool)
  const holds = createHolds()
  const outages = watchForOutages(createProbe(pool), () => {
    states.distrustAll()
    holds.letGo()
  })

  async function takeTrusted(): Promise<PoolClient> {
    for (;;) {
      const client = await takeFrom(pool, outages)
      if (states.isTrusted(client)) return client
      client.release(true)
    }
  }

  return {
    async take() {
      const client = await takeTrusted()
      const state = states.get(client)
      const isReused = state.isUsed
      state.isUsed = true
      return {
        isReused,
        async ask(statement) {
          if (state.isBroken) throw connectionIsBroken()
          try {
            return await send(client, state, outages, statement)
          } catch (error) {
            if (!isUsableAfter(error)) state.isBroken = true
            if (isFailure(error, 'lost')) states.distrustLike(state)
            throw error
          }
        },
        release(mustClose, onFree = () => {}) {
          const free = (): void => {
            client.release(mustClose || state.isBroken)
            onFree()
          }
          if (isOwn && state.lateReply) holds.hold(state.lateReply, free)
          else free()
        },
      }
    },
    close() {
      outages.close()
      holds.letGo()
    },
  }
}

/** @throws {PostgresUnavailableError} if the database was not available */
async function takeFrom(pool: Pool, outages: OutageWatch): Promise<PoolClient> {
  let connecting: Promise<PoolClient> | undefined
  try {
    return await outages.watch(() => (connecting = pool.connect()))
  } catch (error) {
    // If the connection opens later, the pool gets it back and closes it.
    connecting?.then((late) => late.release(true)).catch(() => {})
    throw classifyConnectionError(error)
  }
}

interface State {
  /**
   * A lost connection or an outage begins a new generation of connections. Connections of older
   * generations are not used again.
   */
  readonly generation: object
  isUsed: boolean
  isBroken: boolean
  /** Collects the notices that arrive while a COMMIT is running. */
  notices: Notice[] | undefined
  /** The reply to a COMMIT, if this process no longer waits for it. */
  lateReply: Promise<unknown> | undefined
}

/**
 * Keeps the state of each connection. If a connection is lost, or an outage begins, older
 * connections are not used again: they are probably dead too, and each would make a request fail.
 */
function watchStates(pool: Pool) {
  let generation: object = {}
  const states = new WeakMap<PoolClient, State>()

  /** @param isUsed whether the connection was used before; ignored if the connection has a state */
  function get(client: PoolClient, isUsed = true): State {
    const known = states.get(client)
    if (known) return known

    const notices = undefined
    const state: State = { generation, isUsed, isBroken: false, notices, lateReply: undefined }
    states.set(client, state)
    // The pool itself listens for errors only while a connection is idle. Without this listener, a
    // restart of the database would end the process.
    client.on('error', () => {
      state.isBroken = true
    })
    client.on('notice', (notice) => state.notices?.push(notice))
    return state
  }

  pool.on('connect', (client) => void get(client, false))
  return {
    get,
    isTrusted(client: PoolClient): boolean {
      const state = get(client)
      return !state.isBroken && state.generation === generation
    },
    distrustAll(): void {
      generation = {}
    },
    /** Stops the use of all connections of the generation of `state`, if they are still in use. */
    distrustLike(state: State): void {
      if (state.generation === generation) generation = {}
    },
  }
}

/**
 * Holds connections whose COMMIT has no reply yet, because PostgreSQL waits for a standby. The pool
 * gets a connection back only after the reply. Closing it earlier would not help: PostgreSQL keeps
 * its end open until the wait is over. If the pool opened a new connection each time, PostgreSQL
 * would soon have no free connection. Used only for Keystile's own pool: an app needs the
 * connections of its pool for its own reads.
 */
function createHolds() {
  const held = new Set<() => void>()
  return {
    hold(reply: Promise<unknown>, free: () => void): void {
      const once = (): void => {
        if (held.delete(once)) free()
      }
      held.add(once)
      void reply.then(once, once)
    },
    letGo(): void {
      for (const free of held) free()
    },
  }
}

/** Sends a statement. @throws {PostgresUnavailableError} if the database was not available */
async function send(
  client: PoolClient,
  state: State,
  outages: OutageWatch,
  { text, values, timeout }: Statement,
): Promise<unknown> {
  const query = { text, values, types: typeParsers }
  if (text === 'commit') return sendCommit(client, state, outages, { query, timeout })

  try {
    // Migrations have no timeout, and may keep a small database busy.
    if (timeout === 0) return await client.query(query)
    return await outages.watch(() => client.query({ ...query, query_timeout: timeout }))
  } catch (error) {
    const classified = classifyStatementError(error)
    if (isFailure(classified, 'timeout')) cancelStatement(client)
    throw classified
  }
}

/**
 * Sends a COMMIT. Never cancels it: PostgreSQL would report a cancelled COMMIT as done, without
 * waiting for the standby.
 */
async function sendCommit(
  client: PoolClient,
  state: State,
  outages: OutageWatch,
  { query, timeout }: { readonly query: Query; readonly timeout: number },
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    if (timeout === 0) return
    timer = setTimeout(() => {
      state.lateReply = reply
      reject(new Error('timeout of a commit'))
    }, timeout)
  })
  let reply: Promise<unknown> | undefined
  const ask = (): Promise<unknown> =>
    outages
      .watch(() => Promise.race([(reply = client.query(query)), late]))
      .catch((error: unknown) => Promise.reject(classifyStatementError(error)))

  const notices: Notice[] = (state.notices = [])
  try {
    return await commit(ask, notices)
  } finally {
    clearTimeout(timer)
    state.notices = undefined
  }
}

function connectionIsBroken(): PostgresUnavailableError {
  return new PostgresUnavailableError('lost', 'the connection to PostgreSQL is broken')
}

/**
 * Returns the pool in the form that Kysely needs. If the first statement on a reused connection
 * fails because the connection is lost, takes another connection and sends the statement once more.
 * This statement is a `begin`, or a read outside of a transaction, so nothing is done twice.
 *
 * @param options.line the queue for connections. Default: callers wait in the pool's own queue.
 * @param options.timeout how long to wait for each reply, in milliseconds; 0: without a limit
 */
function convertingPool(
  connections: Connections,
  { line, timeout = queryMilliseconds }: { readonly line?: Line; readonly timeout?: number } = {},
): PostgresPool {
  return {
    options: {},
    async connect() {
      const leave = await line?.enter()
      let connection: Connection | undefined = await connections.take().catch((error: unknown) => {
        leave?.()
        throw error
      })
      let isFirst = true

      async function query(text: string, values: readonly unknown[]): Promise<unknown> {
        if (!connection) throw connectionIsBroken()
        const mayRepeat = isFirst && connection.isReused
        isFirst = false
        try {
          return await connection.ask({ text, values, timeout })
        } catch (error) {
          if (!mayRepeat || !isFailure(error, 'lost')) throw error
        }
        connection.release() // closes it, because it is broken
        connection = undefined
        connection = await connections.take()
        return connection.ask({ text, values, timeout })
      }

      const release = (mustClose?: boolean): void => {
        if (connection) connection.release(mustClose, leave)
        else leave?.()
      }
      return { query, release } as Awaited<ReturnType<PostgresPool['connect']>>
    },
    // `connectPostgres` closes the pool.
    end: async () => {},
  }
}
