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
  type TypeParsers,
} from './postgres-client.ts'
import { commit, type Notice } from './postgres-commit.ts'
import {
  explainConnectionError,
  explainStatementError,
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
 * Parses times and counts as numbers, and all other values as strings. Each query gets these
 * parsers. They are not set on the pool, because the pool may belong to the app, which may need
 * other parsers.
 */
const typeParsers: TypeParsers = {
  getTypeParser: (oid) => (oid === int8 || oid === int4 ? Number : (text) => text),
}

/**
 * Returns the pool in two forms that Kysely can use. `pool` is for the feed of revocations.
 * `requestPool` is for requests; its queue leaves one connection free. So requests never delay the
 * feed, except if the pool has only one connection. The feed does not get a pool of its own,
 * because the database might refuse more connections than the app's pool has. `close` does NOT
 * close a pool that belongs to the app.
 */
export async function connectPostgres(source: string | Pool): Promise<{
  readonly pool: PostgresPool
  readonly requestPool: PostgresPool
  close(): Promise<void>
}> {
  const pool = typeof source === 'string' ? await createPool(source) : source
  // Without a listener, an idle connection that breaks would end the process. The next query
  // reports the error.
  pool.on('error', () => {})
  const connections = createConnections(pool)
  const places = (pool.options?.max ?? requestConnections) - 1
  return {
    pool: convertingPool(connections),
    requestPool: convertingPool(connections, createLine(Math.max(1, places), lineMilliseconds)),
    async close() {
      connections.close()
      if (typeof source === 'string') await pool.end()
    },
  }
}

/** A connection that was taken from the pool. */
interface Connection {
  /** Whether the pool has kept it since an earlier use. */
  readonly isReused: boolean
  /** @throws {PostgresUnavailableError} if the database was not available */
  ask(text: string, values: readonly unknown[]): Promise<unknown>
  /** Must be called once. Closes the connection if it cannot be used again. */
  release(mustClose: boolean): void
}

interface Connections {
  /** @throws {PostgresUnavailableError} */
  take(): Promise<Connection>
  close(): void
}

/** What is known of a connection, as long as it is open. */
interface State {
  /** See `createConnections`. */
  readonly generation: number
  isUsed: boolean
  isBroken: boolean
  /** Collects the notices that arrive while a COMMIT is running. */
  notices: Notice[] | undefined
}

/**
 * Takes connections from a pool. A connection that broke or did not answer is never used again. If
 * one is lost, or an outage begins, the older ones are not used either: they may be as dead, and
 * each would have to be found out by a request. So each connection has the generation in which it
 * was opened.
 */
function createConnections(pool: Pool): Connections {
  let generation = 0
  const outages = watchForOutages(createProbe(pool), () => generation++)
  const states = new WeakMap<PoolClient, State>()

  /** @param isUsed whether the pool has kept a connection that is not known yet */
  function stateOf(client: PoolClient, isUsed = true): State {
    const known = states.get(client)
    if (known) return known

    const state: State = { generation, isUsed, isBroken: false, notices: undefined }
    states.set(client, state)
    // The pool itself listens for errors only while a connection is idle. Without this listener, a
    // restart of the database would end the process.
    client.on('error', () => {
      state.isBroken = true
    })
    client.on('notice', (notice) => state.notices?.push(notice))
    return state
  }

  async function takeFrom(): Promise<PoolClient> {
    let connecting: Promise<PoolClient> | undefined
    try {
      return await outages.watch(() => (connecting = pool.connect()))
    } catch (error) {
      // If the connection opens later, the pool gets it back and closes it.
      connecting?.then((late) => late.release(true)).catch(() => {})
      throw explainConnectionError(error)
    }
  }

  async function takeCurrent(): Promise<PoolClient> {
    for (;;) {
      const client = await takeFrom()
      const state = stateOf(client)
      if (!state.isBroken && state.generation === generation) return client
      client.release(true)
    }
  }

  pool.on('connect', (client) => void stateOf(client, false))
  return {
    async take() {
      const client = await takeCurrent()
      const state = stateOf(client)
      const isReused = state.isUsed
      state.isUsed = true
      return {
        isReused,
        async ask(text, values) {
          if (state.isBroken) throw connectionIsBroken()
          try {
            return await send(client, state, outages, { text, values })
          } catch (error) {
            if (!isUsableAfter(error)) state.isBroken = true
            if (isFailure(error, 'lost') && state.generation === generation) generation++
            throw error
          }
        },
        release: (mustClose) => client.release(mustClose || state.isBroken),
      }
    },
    close: () => outages.close(),
  }
}

/** Sends a statement. @throws {PostgresUnavailableError} if the database was not available */
async function send(
  client: PoolClient,
  state: State,
  outages: OutageWatch,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] },
): Promise<unknown> {
  const query = { text, values, types: typeParsers, query_timeout: queryMilliseconds }
  const ask = (): Promise<unknown> =>
    outages
      .watch(() => client.query(query))
      .catch((error: unknown) => Promise.reject(explainStatementError(error)))

  if (text === 'commit') {
    state.notices = []
    return commit(ask, state.notices).finally(() => (state.notices = undefined))
  }
  try {
    return await ask()
  } catch (error) {
    // A cancelled COMMIT would not wait for the standby any more, so only others are cancelled.
    if (isFailure(error, 'timeout')) cancelStatement(client)
    throw error
  }
}

function connectionIsBroken(): PostgresUnavailableError {
  return new PostgresUnavailableError('lost', 'the connection to PostgreSQL is broken')
}

/**
 * Returns the pool in the form that Kysely needs. If a connection that the pool has kept turns out
 * to be lost at its first statement, takes another connection and sends the statement once more.
 * This statement is a `begin`, or a read outside of a transaction: so nothing is done twice.
 *
 * @param line the queue for connections. Without one, callers wait in the pool's own queue.
 */
function convertingPool(connections: Connections, line?: Line): PostgresPool {
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
          return await connection.ask(text, values)
        } catch (error) {
          if (!mayRepeat || !isFailure(error, 'lost')) throw error
        }
        connection.release(true)
        connection = undefined
        connection = await connections.take()
        return connection.ask(text, values)
      }

      const release = (mustClose?: boolean): void => {
        connection?.release(mustClose ?? false)
        leave?.()
      }
      return { query, release } as Awaited<ReturnType<PostgresPool['connect']>>
    },
    // `connectPostgres` closes the pool.
    end: async () => {},
  }
}
