import { DatabaseBusyError } from './database.ts'

/** A queue for places, such as database connections. */
export interface Line {
  /**
   * Waits for a place. Resolves with a function that releases the place; the caller must call it
   * exactly once.
   *
   * @throws {DatabaseBusyError} immediately if the queue is too long, or later if the caller has
   *   waited for `patienceMilliseconds`
   */
  enter(): Promise<() => void>
}

/** The weight of the latest caller in the average time that callers use a place. */
const weight = 0.1

// decisions/0007-queue-for-connections.md
/**
 * Creates a queue that serves callers in the order of their arrival. The queue has no fixed length,
 * because the number of callers that it can serve depends on the distance to the database. Instead,
 * it estimates the wait of a new caller from the average time of earlier callers. If the wait would
 * be too long, it refuses the new caller immediately.
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
