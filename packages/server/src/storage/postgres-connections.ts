// Takes connections from a pool, and returns those that can be used again.
import { createHeldConnections } from './held-connections.ts'
import type { Pool, PoolClient } from './postgres-client.ts'
import {
  classifyConnectionError,
  isFailure,
  isUsableAfter,
  PostgresUnavailableError,
} from './postgres-errors.ts'
import { watchForOutages, type OutageWatch } from './postgres-outage.ts'
import { createProbe } from './postgres-probe.ts'
import { send, type Statement } from './postgres-send.ts'
import { watchStates } from './postgres-states.ts'

export interface Connection {
  /** Whether the connection was used before, so that it may have been lost since. */
  readonly isReused: boolean
  /** @throws {PostgresUnavailableError} if the database was not available */
  ask(statement: Statement): Promise<unknown>
  /**
   * Returns the connection to the pool, or closes it if it cannot be used again. The caller must
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
  const held = createHeldConnections()
  const outages = watchForOutages(createProbe(pool), () => {
    states.distrustAll()
    held.freeAll()
  })

  /** Takes connections until one can be trusted, and closes the others. */
  async function takeTrusted(): Promise<PoolClient> {
    for (;;) {
      const client = await takeFrom(pool, outages)
      if (states.isTrusted(client)) return client
      client.release(true)
    }
  }

  function connectionOf(client: PoolClient): Connection {
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
        if (isOwn && state.lateReply) held.hold(state.lateReply, free)
        else free()
      },
    }
  }

  return {
    take: async () => connectionOf(await takeTrusted()),
    close() {
      outages.close()
      held.freeAll()
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

/** The error of a statement on a connection that has ended. */
export function connectionIsBroken(): PostgresUnavailableError {
  return new PostgresUnavailableError('lost', 'the connection to PostgreSQL is broken')
}
