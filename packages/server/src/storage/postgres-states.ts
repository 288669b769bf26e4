// What is known about each connection of a pool, and which of them are still used.
import type { Pool, PoolClient } from './postgres-client.ts'
import type { Notice } from './postgres-commit.ts'

export interface State {
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

export interface States {
  get(client: PoolClient): State
  isTrusted(client: PoolClient): boolean
  distrustAll(): void
  /** Stops the use of all connections of the generation of `state`, if they are still in use. */
  distrustLike(state: State): void
}

/**
 * Keeps the state of each connection. If a connection is lost, or an outage begins, older
 * connections are not used again: they are probably dead too, and each would make a request fail.
 */
export function watchStates(pool: Pool): States {
  let generation: object = {}
  const states = new WeakMap<PoolClient, State>()

  function watch(client: PoolClient, isUsed: boolean): State {
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

  // A connection that the pool opened before this call was used by the app.
  const get = (client: PoolClient): State => states.get(client) ?? watch(client, true)

  pool.on('connect', (client) => {
    if (!states.has(client)) watch(client, false)
  })
  return {
    get,
    isTrusted(client) {
      const state = get(client)
      return !state.isBroken && state.generation === generation
    },
    distrustAll() {
      generation = {}
    },
    distrustLike(state) {
      if (state.generation === generation) generation = {}
    },
  }
}
