// Takes connections from a pool, and gives back those that can be used again.
import { createProbe, type Pool, type PoolClient } from './postgres-client.ts'
import {
  classifyConnectionError,
  isFailure,
  isUsableAfter,
  PostgresUnavailableError,
} from './postgres-errors.ts'
import { watchForOutages, type OutageWatch } from './postgres-outage.ts'
import { send, type Statement } from './postgres-send.ts'
import { watchStates } from './postgres-states.ts'

export interface Connection {
  /** Whether the connection was used before, so that it may have been lost since. */
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

export interface Connections {
  /** @throws {PostgresUnavailableError} */
  take(): Promise<Connection>
  close(): void
}

/**
 * Takes connections from a pool. A connection that broke or did not answer is never used again.
 *
 * @param options.isOwn whether Keystile has created the pool
 */
export function createConnections(pool: Pool, { isOwn }: { readonly isOwn: boolean }): Connections {
  const states = watchStates(pool)
  const holds = createHolds()
  const outages = watchForOutages(createProbe(pool), () => {
    states.distrustAll()
    holds.letGo()
  })

  /** Takes connections until one can be trusted, and closes the others. */
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
    return await outages.watch(() => {
      connecting = pool.connect()
      return connecting
    })
  } catch (error) {
    // If the connection opens later, the pool gets it back and closes it.
    connecting?.then((late) => late.release(true)).catch(() => {})
    throw classifyConnectionError(error)
  }
}

/**
 * Holds connections whose COMMIT has no reply yet, because PostgreSQL waits for a standby. The pool
 * gets a connection back only after the reply. Closing it earlier would not help: PostgreSQL keeps
 * its end open until the wait is over. If the pool opened a new connection each time, PostgreSQL
 * would soon have no free connection. Used only for Keystile's own pool: an app needs the
 * connections of its pool for its own reads.
 */
function createHolds(): {
  /** Calls `free` after the reply. */
  hold(reply: Promise<unknown>, free: () => void): void
  /** Frees all held connections now. */
  letGo(): void
} {
  const held = new Set<() => void>()
  return {
    hold(reply, free) {
      const once = (): void => {
        if (held.delete(once)) free()
      }
      held.add(once)
      void reply.then(once, once)
    },
    letGo() {
      for (const free of held) free()
    },
  }
}

/** The error of a statement on a connection that has ended. */
export function connectionIsBroken(): PostgresUnavailableError {
  return new PostgresUnavailableError('lost', 'the connection to PostgreSQL is broken')
}
