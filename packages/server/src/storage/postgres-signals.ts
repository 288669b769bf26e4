// Signals between the processes of one PostgreSQL database. They only save time: a signal may be
// lost, and behind PgBouncer in transaction mode none arrives.
import { setTimeout as delay } from 'node:timers/promises'
import { signalChannel } from './database.ts'

/** The part of pg's `Client` that this file uses. */
export interface SignalClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
  on(event: 'notification' | 'end', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** How long to wait before a new connection, if the old one has failed. */
const reconnectMilliseconds = 2_000
/** How long `close` waits for the database. */
const closeMilliseconds = 1_000

/**
 * Calls `onSignal` for each signal, from a connection of its own. It does not use the pool, because
 * the connection stays open. If the connection fails, opens another one. Also calls `onSignal` when
 * a connection is open, because signals before that were lost.
 *
 * @param createClient creates a client that is not connected
 */
export function receiveSignals(
  createClient: () => Promise<SignalClient>,
  onSignal: () => void,
): { close(): Promise<void> } {
  const stopping = new AbortController()
  let client: SignalClient | undefined

  async function receive(): Promise<void> {
    const opened = await createClient()
    client = opened
    const ended = new Promise<void>((resolve) => opened.on('end', resolve))
    opened.on('error', () => {}) // `end` follows
    opened.on('notification', onSignal)
    try {
      await opened.connect()
      await opened.query(`listen ${signalChannel}`)
      onSignal()
      await ended
    } finally {
      await opened.end()
    }
  }

  async function receiveUntilStopped(): Promise<void> {
    const { signal } = stopping
    while (!signal.aborted) {
      // The feed logs when the database does not answer. Signals are not needed.
      await receive().catch(() => {})
      await delay(reconnectMilliseconds, undefined, { ref: false, signal }).catch(() => {})
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
