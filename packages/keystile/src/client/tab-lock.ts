import { browser } from './browser.ts'
import { openLeases } from './indexed-db-leases.ts'
import { delay, withLease } from './lease.ts'

/**
 * How many milliseconds a lock is held after a write. A write reaches other tabs a moment later,
 * and no event tells when. Without the delay, another tab could get the lock before it sees the
 * write. 250 ms is usually enough. If a write takes longer, the other tab also refreshes the
 * session, and gets the same new refresh token as the tab that has written.
 */
const arrivalMilliseconds = 250

export interface TabLock {
  /** Runs `action` while no other tab of this origin runs an action with the same name. */
  exclusive<T>(name: string, action: () => Promise<T>): Promise<T>
  /**
   * Must be called after this tab has written to the storage. If this tab holds the lock, it keeps
   * the lock a moment longer, so that other tabs see the write before they get the lock.
   */
  wrote(): void
}

// decisions/0017-lock-tabs-in-indexeddb.md
/**
 * Creates a lock. It uses Web Locks, or a lease in IndexedDB if the browser has no Web Locks.
 * Without IndexedDB there is no lock, so two tabs may refresh at the same time.
 */
export function createTabLock(): TabLock {
  let arrivesAt = 0
  const untilArrival = (): number => Math.max(0, arrivesAt - performance.now())

  return {
    exclusive: (name, action) =>
      new Promise((resolve, reject) => {
        // The caller gets the result immediately. Only the lock waits until other tabs see the
        // write.
        const act = (): Promise<void> => action().then(resolve, reject)
        const { navigator } = browser()
        const done = navigator?.locks
          ? navigator.locks.request(name, () => act().then(() => delay(untilArrival())))
          : runUnderLease(name, act, untilArrival)
        done.catch(reject)
      }),
    wrote() {
      arrivesAt = performance.now() + arrivalMilliseconds
    },
  }
}

/** Runs `action` under a lease, or without any lock if the leases cannot be opened. */
async function runUnderLease(
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
