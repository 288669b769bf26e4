import { DatabaseBusyError } from './database.ts'

/** A queue of callers that wait for a connection to the database. */
export interface ConnectionQueue {
  /**
   * Waits until a connection is free. Resolves with a function that frees it again. The caller must
   * call this function exactly once.
   *
   * @throws {DatabaseBusyError} immediately if the wait would probably be too long, or after
   *   `patienceMilliseconds` if no connection was free by then
   */
  enter(): Promise<() => void>
}

/**
 * The weight of the newest measurement in a moving average. Each measurement is the time for which
 * a caller keeps its connection.
 */
const weight = 0.1

// decisions/0007-queue-for-connections.md
/**
 * Creates a queue that serves callers in the order of their arrival. The queue has no fixed length,
 * because the number of callers that can be served in time depends on the distance to the database.
 * Instead, the queue estimates how long a new caller would wait, from the average time for which a
 * caller keeps its connection. If the wait would be longer than `patienceMilliseconds`, the queue
 * refuses the new caller immediately.
 */
export function createConnectionQueue(
  connections: number,
  patienceMilliseconds: number,
): ConnectionQueue {
  let free = connections
  let keptMilliseconds = 0
  const waiting = new Set<() => void>()

  /** Returns the function that frees the connection of a caller, or passes it to the next one. */
  function take(): () => void {
    const since = performance.now()
    return () => {
      keptMilliseconds += weight * (performance.now() - since - keptMilliseconds)
      const [next] = waiting
      if (next) next()
      else free++
    }
  }

  function wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (): void => {
        clearTimeout(timer)
        waiting.delete(next)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(next)
        reject(busy())
      }, patienceMilliseconds)
      waiting.add(next)
    })
  }

  return {
    async enter() {
      if (free > 0) {
        free--
        return take()
      }

      const expectedMilliseconds = ((waiting.size + 1) / connections) * keptMilliseconds
      if (expectedMilliseconds > patienceMilliseconds) throw busy()
      await wait()
      return take()
    },
  }
}

function busy(): DatabaseBusyError {
  return new DatabaseBusyError('too many requests wait for the database')
}
