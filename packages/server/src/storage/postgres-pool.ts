// A pool of connections to PostgreSQL, in the form that Kysely needs. It survives connections that
// break, a restart of the database, a failover and an outage.
import type { PostgresPool } from 'kysely'
import { createConnectionQueue, type ConnectionQueue } from './connection-queue.ts'
import { createPool, queryMilliseconds, requestConnections, type Pool } from './postgres-client.ts'
import {
  connectionIsBroken,
  createConnections,
  type Connection,
  type Connections,
} from './postgres-connections.ts'
import { isFailure } from './postgres-errors.ts'

/**
 * The longest time that a request waits for a connection. Clients do not wait much longer than
 * this.
 */
const queueMilliseconds = 2_000

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
  const forRequests = (pool.options?.max ?? requestConnections) - 1
  const queue = createConnectionQueue(Math.max(1, forRequests), queueMilliseconds)
  return {
    pool: kyselyPool(connections),
    requestPool: kyselyPool(connections, { queue }),
    migrationPool: kyselyPool(connections, { timeout: 0 }),
    async close() {
      connections.close()
      if (typeof source === 'string') await pool.end()
    },
  }
}

/**
 * Returns the pool in the form that Kysely needs.
 *
 * @param options.queue the queue for connections. Default: callers wait in the pool's own queue.
 * @param options.timeout how long to wait for each reply, in milliseconds; 0: without a limit
 */
function kyselyPool(
  connections: Connections,
  {
    queue,
    timeout = queryMilliseconds,
  }: { readonly queue?: ConnectionQueue; readonly timeout?: number } = {},
): PostgresPool {
  return {
    options: {},
    async connect() {
      const leave = await queue?.enter()
      try {
        const first = await connections.take()
        return kyselyClient(connections, first, { timeout, onFree: leave })
      } catch (error) {
        leave?.()
        throw error
      }
    },
    // `connectPostgres` closes the pool.
    end: async () => {},
  }
}

type KyselyClient = Awaited<ReturnType<PostgresPool['connect']>>

/**
 * Returns a connection in the form that Kysely needs. If the first statement on a reused connection
 * fails because the connection is lost, takes another connection and sends the statement once more.
 * This statement is a `begin`, or a read outside of a transaction, so nothing is done twice.
 *
 * @param options.onFree called when the caller no longer uses a connection
 */
function kyselyClient(
  connections: Connections,
  first: Connection,
  { timeout, onFree }: { readonly timeout: number; readonly onFree: (() => void) | undefined },
): KyselyClient {
  let connection: Connection | undefined = first
  let isFirstStatement = true

  async function query(text: string, values: readonly unknown[]): Promise<unknown> {
    if (!connection) throw connectionIsBroken()
    const mayRepeat = isFirstStatement && connection.isReused
    isFirstStatement = false
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

  function release(mustClose?: boolean): void {
    if (connection) connection.release(mustClose, onFree)
    else onFree?.()
  }

  // pg's own client has more members, which Kysely does not use.
  return { query, release } as KyselyClient
}
