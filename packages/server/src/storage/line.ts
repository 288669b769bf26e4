import { DatabaseBusyError } from './database.ts'

/** Waits for a place, such as a connection. */
export interface Line {
  /**
   * Resolves when the caller has a place, with the function that gives it back.
   *
   * @throws {DatabaseBusyError} at once where the line is too long to be served in time, else when
   *   time is up
   */
  enter(): Promise<() => void>
}

/** The weight of the latest place in the average of how long callers keep one. */
const weight = 0.1

// decisions/0007-queue-for-connections.md
/**
 * Creates a line, first come first served. It refuses a caller who could not be served in time, by
 * the present average, instead of having a fixed length: how many can be served depends on how far
 * away the database is.
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
