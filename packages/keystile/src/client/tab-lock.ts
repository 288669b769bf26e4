import { browser } from './browser.ts'
import { openLeases } from './indexed-db-leases.ts'
import { delay, withLease } from './lease.ts'

/**
 * How many milliseconds a lock is held after a write under it. A write reaches other tabs a moment
 * later, and nothing tells when: another tab could get the lock first. A tab that learns of it even
 * later refreshes once too often, and gets the same tokens.
 */
const arrivalTime = 250

export interface TabLock {
  /** Runs `action` while no other tab of this origin runs one under this name. */
  exclusive<T>(name: string, action: () => Promise<T>): Promise<T>
  /** Tells the lock that something was written which other tabs must see. */
  wrote(): void
}

// decisions/0017-lock-tabs-in-indexeddb.md
/** Uses Web Locks; without them a lease; and no lock at all without a database for leases. */
export function createTabLock(): TabLock {
  let arrivesAt = -Infinity
  const untilArrival = (): number => Math.max(0, arrivesAt - performance.now())
  return {
    exclusive: (name, action) =>
      new Promise((resolve, reject) => {
        // The caller gets the result at once, and does not wait for the write to arrive elsewhere.
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

async function lease(
  name: string,
  action: () => Promise<void>,
  untilArrival: () => number,
): Promise<void> {
  const { indexedDB } = browser()
  const leases = indexedDB && (await openLeases(indexedDB).catch(() => undefined))
  if (!leases) return action()
  try {
    await withLease(leases, name, action, untilArrival)
  } finally {
    leases.close()
  }
}
