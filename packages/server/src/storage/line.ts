import { DatabaseBusyError } from './database.ts'

/** A queue of callers that wait for a place, such as a free database connection. */
export interface Line {
  /**
   * Waits for a free place. Resolves with a function that frees the place again. The caller must
   * call this function exactly once.
   *
   * @throws {DatabaseBusyError} immediately if the wait would probably be too long, or after
   *   `patienceMilliseconds` if no place was free by then
   */
  enter(): Promise<() => void>
}

/**
 * The weight of the newest measurement in a moving average. Each measurement is the time from the
 * admission of a caller until the caller frees its place.
 */
const weight = 0.1

// decisions/0007-queue-for-connections.md
/**
 * Creates a queue that serves callers in the order of their arrival. The queue has no fixed length,
 * because the number of callers that can be served in time depends on the distance to the database.
 * Instead, the queue estimates how long a new caller would wait. It uses the average time from the
 * admission of a caller until the caller frees its place. If the wait would be longer than
 * `patienceMilliseconds`, the queue refuses the new caller immediately.
 */
export function createLine(places: number, patienceMilliseconds: number): Line {
  let free = places
  let keptMilliseconds = 0
  const waiting = new Set<() => void>()

  function take(): () => void {
    const since = performance.now()
    return () => {
      keptMilliseconds += weight * (performance.now() - since - keptMilliseconds)
      const [next] = waiting
      if (next) next()
      else free++
    }
  }

  return {
    async enter() {
      if (free > 0) {
        free--
        return take()
      }

      const expectedMilliseconds = ((waiting.size + 1) / places) * keptMilliseconds
      if (expectedMilliseconds > patienceMilliseconds) throw busy()

      await new Promise<void>((resolve, reject) => {
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
      return take()
    },
  }
}

function busy(): DatabaseBusyError {
  return new DatabaseBusyError('too many requests wait for the database')
}
