// Signals between the processes of one PostgreSQL database. They only save time: a signal may be
// lost, and behind PgBouncer in transaction mode none arrives.
import { setTimeout as delay } from 'node:timers/promises'
import { signalChannel } from './portable-sql.ts'

/** The part of pg's `Client` that this file uses. */
export interface SignalClient {
  /** The id of the PostgreSQL process that serves this connection. Known after `connect()`. */
  readonly processID?: number | null
  connect(): Promise<unknown>
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
  end(): Promise<void>
  on(event: 'notification' | 'end', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** How long to wait before opening a new connection if the last one failed. */
const reconnectMilliseconds = 2_000
/**
 * How long to wait before opening a new connection if the last one led to a pooler. A pooler does
 * not deliver signals.
 */
const pooledMilliseconds = 600_000
/** How long `close` waits for the database. */
const closeMilliseconds = 1_000

/**
 * Calls `onSignal` for each signal. Opens its own connection for this, because a connection that
 * listens stays open and would be missing in the pool. If the connection fails, opens another one.
 * Also calls `onSignal` each time it begins to listen, because earlier signals were lost.
 *
 * A pooler, such as PgBouncer in transaction mode, does not deliver signals. A `LISTEN` would even
 * do harm: if a signal arrives on an idle connection from the pooler to PostgreSQL, the pooler
 * closes that connection. So this function does not listen behind a pooler, and checks again after
 * ten minutes whether a pooler is still in use.
 */
export function receiveSignals(
  createClient: () => Promise<SignalClient>,
  onSignal: () => void,
): { close(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  let client: SignalClient | undefined

  /**
   * Listens on one connection, and returns `ended` when the connection has ended. Behind a pooler,
   * does not listen and returns `pooled`.
   */
  async function receive(): Promise<'ended' | 'pooled'> {
    const opened = await createClient()
    if (signal.aborted) return 'ended'
    client = opened
    const ended = new Promise<void>((resolve) => opened.on('end', resolve))
    opened.on('error', () => {}) // `end` follows
    opened.on('notification', onSignal)
    try {
      await opened.connect()
      if (await isPooled(opened)) return 'pooled'

      await opened.query(`listen ${signalChannel}`)
      onSignal()
      await ended
      return 'ended'
    } finally {
      await opened.end()
    }
  }

  async function receiveUntilStopped(): Promise<void> {
    while (!signal.aborted) {
      // The feed logs when the database does not answer. Signals are not needed.
      const outcome = await receive().catch(() => undefined)
      const milliseconds = outcome === 'pooled' ? pooledMilliseconds : reconnectMilliseconds
      await delay(milliseconds, undefined, { ref: false, signal }).catch(() => {})
    }
  }

  const received = receiveUntilStopped()
  return {
    async close() {
      stopping.abort()
      const ended = Promise.allSettled([client?.end(), received])
      // A database that does not answer must not stop the process from closing.
      await Promise.race([ended, delay(closeMilliseconds, undefined, { ref: false })])
    },
  }
}

/**
 * Whether a pooler stands between this process and PostgreSQL. A pooler invents a process number
 * for its connection, and sends each statement to any process of PostgreSQL.
 */
async function isPooled(client: SignalClient): Promise<boolean> {
  const { rows } = await client.query('select pg_backend_pid() as pid')
  return Number((rows[0] as { readonly pid?: unknown } | undefined)?.pid) !== client.processID
}
