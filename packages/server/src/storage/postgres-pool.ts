// A pool of connections to PostgreSQL, in the form that Kysely needs. It survives connections that
// break, a restart of the database, a failover and an outage.
import type { PostgresPool } from 'kysely'
import { createLine, type Line } from './line.ts'
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
const lineMilliseconds = 2_000

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
    pool: kyselyPool(connections),
    requestPool: kyselyPool(connections, { line }),
    migrationPool: kyselyPool(connections, { timeout: 0 }),
    async close() {
      connections.close()
      if (typeof source === 'string') await pool.end()
    },
  }
}

/**
 * Returns the pool in the form that Kysely needs. If the first statement on a reused connection
 * fails because the connection is lost, takes another connection and sends the statement once more.
 * This statement is a `begin`, or a read outside of a transaction, so nothing is done twice.
 *
 * @param options.line the queue for connections. Default: callers wait in the pool's own queue.
 * @param options.timeout how long to wait for each reply, in milliseconds; 0: without a limit
 */
function kyselyPool(
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
      // pg's own client has more members, which Kysely does not use.
      return { query, release } as Awaited<ReturnType<PostgresPool['connect']>>
    },
    // `connectPostgres` closes the pool.
    end: async () => {},
  }
}
