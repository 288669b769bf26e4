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

/** How to receive a signal, and to send one. */
interface SignalSource {
  /** Creates a client that is not connected. */
  createClient(): Promise<SignalClient>
  /** Sends a signal on another connection: a pooler may pass on those of the same one. */
  sendSignal(): Promise<unknown>
}

/** How long to wait before a new connection, if the old one has failed. */
const reconnectMilliseconds = 2_000
/** How long a signal to this process may take. */
const proofMilliseconds = 2_000
/** How long to wait before a new connection, if no signals arrive on it. */
const uselessMilliseconds = 600_000
/** How long `close` waits for the database. */
const closeMilliseconds = 1_000

/**
 * Calls `onSignal` for each signal, from a connection of its own. It does not use the pool, because
 * the connection stays open. If the connection fails, opens another one. Also calls `onSignal` when
 * a connection is open, because signals before that were lost.
 *
 * A pooler such as PgBouncer accepts `LISTEN` in transaction mode, but passes no signal on. So when
 * a connection is open, this function sends a signal. If it does not arrive, closes the connection,
 * and tries again only after ten minutes.
 */
export function receiveSignals(
  { createClient, sendSignal }: SignalSource,
  onSignal: () => void,
): { close(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  let client: SignalClient | undefined

  /** Returns when the connection has ended. Returns whether it was of use. */
  async function receive(): Promise<boolean> {
    const opened = await createClient()
    client = opened
    const ended = new Promise<void>((resolve) => opened.on('end', resolve))
    const arrived = new Promise<true>((resolve) => opened.on('notification', () => resolve(true)))
    opened.on('error', () => {}) // `end` follows
    opened.on('notification', onSignal)
    try {
      await opened.connect()
      await opened.query(`listen ${signalChannel}`)
      onSignal()
      await sendSignal()
      const late = delay(proofMilliseconds, false, { ref: false, signal })
      const isUseful = await Promise.race([arrived, late])
      if (isUseful) await ended
      // A pooler keeps its connection to PostgreSQL, which would go on listening.
      else await opened.query(`unlisten ${signalChannel}`)
      return isUseful
    } finally {
      await opened.end()
    }
  }

  async function receiveUntilStopped(): Promise<void> {
    while (!signal.aborted) {
      // The feed logs when the database does not answer. Signals are not needed.
      const isUseful = await receive().catch(() => true)
      const milliseconds = isUseful ? reconnectMilliseconds : uselessMilliseconds
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
