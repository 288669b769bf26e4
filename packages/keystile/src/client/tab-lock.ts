import { browser } from './browser.ts'
import { openLeases } from './indexed-db-leases.ts'
import { delay, withLease } from './lease.ts'

/**
 * What is written reaches another tab a moment after, and nothing says when: a lock may be there first. So a lock under
 * which something was written is held for this many milliseconds more. A tab that hears of it later yet refreshes once too
 * often, and is given the same tokens.
 */
const arrivalTime = 250

export interface TabLock {
  /** Runs `action` while no other tab of this origin runs one under this name. */
  exclusive<T>(name: string, action: () => Promise<T>): Promise<T>
  /** Something was written that other tabs have to see. */
  wrote(): void
}

/** By Web Locks; where a browser or a page without TLS has none, by a lease; where there is no database for it, by nothing. */
export function createTabLock(): TabLock {
  let arrivesAt = -Infinity
  const untilArrival = (): number => Math.max(0, arrivesAt - performance.now())
  return {
    exclusive: (name, action) =>
      new Promise((resolve, reject) => {
        // Whoever waits for the action need not wait for the others.
        const act = (): Promise<void> => action().then(resolve, reject)
        const { navigator } = browser()
        const done = navigator?.locks
          ? navigator.locks.request(name, () => act().then(() => delay(untilArrival())))
          : lease(name, act, untilArrival)
        done.catch(reject)
      }),
    wrote() {
      arrivesAt = performance.now() + arrivalTime
    },
  }
}

async function lease(name: string, action: () => Promise<void>, untilArrival: () => number): Promise<void> {
  const { indexedDB } = browser()
  const leases = indexedDB && (await openLeases(indexedDB).catch(() => undefined))
  if (!leases) return action()
  try {
    await withLease(leases, name, action, untilArrival)
  } finally {
    leases.close()
  }
}
