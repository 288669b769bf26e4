// The lock between tabs in browsers without Web Locks (`tab-lock.ts`): a lease in IndexedDB. The
// tab that holds it renews it, so a tab that crashes blocks the others only for a few seconds.

export interface Lease {
  /**
   * The tab that holds the lease; `undefined` after that tab has finished. No other tab may take
   * the lease before `until`, even if `owner` is `undefined`.
   */
  readonly owner: string | undefined
  /** Milliseconds since 1970-01-01 UTC. */
  readonly until: number
}

export interface Leases {
  /** Replaces a lease with the result of `change` in one atomic step, and returns the result. */
  update(name: string, change: (lease: Lease | undefined) => Lease): Promise<Lease>
}

/** The duration of a lease. A crashed tab blocks the other tabs for this time. */
const leaseMilliseconds = 5_000
/** The time between two renewals. Three renewals in a row may fail before the lease expires. */
const renewalMilliseconds = leaseMilliseconds / 5
/** The average time between two attempts to take a lease. */
const retryMilliseconds = 50

/**
 * Waits for the lease of this name, runs the action, and renews the lease until the action ends. If
 * the tab is closed or crashes, its lease expires.
 *
 * Does NOT stop the action if the lease expires before the action ends. If the browser suspends a
 * tab, that tab may later run its action at the same time as a different tab.
 *
 * @param remaining returns how many milliseconds the lease lasts after the action. During this time
 *   no other tab may take the lease, even if this tab is closed
 */
export async function withLease<T>(
  leases: Leases,
  name: string,
  action: () => Promise<T>,
  remaining: () => number,
): Promise<T> {
  // The name of this owner. It must differ from the names of other tabs. It need not be secret.
  const owner = `${Math.random()}`
  const take = async (): Promise<boolean> => {
    const lease = await leases.update(name, (held) => {
      // The time must be read here, in the transaction. While the transaction waits for its turn,
      // another tab may take the lease. Compared with an earlier time, that lease would seem too
      // long.
      const now = Date.now()
      return isHeld(held, now) && held.owner !== owner
        ? held
        : { owner, until: now + leaseMilliseconds }
    })
    return lease.owner === owner
  }

  while (!(await take())) await delay(retryMilliseconds * (0.5 + Math.random()))

  const renewing = setInterval(() => void take().catch(() => {}), renewalMilliseconds)
  try {
    return await action()
  } finally {
    clearInterval(renewing)
    const lease = { owner: undefined, until: Date.now() + remaining() }
    await leases.update(name, (held) => (!held || held.owner === owner ? lease : held))
  }
}

/**
 * Whether a lease still blocks other tabs. Returns false for an expired lease, and for a lease that
 * expires later than two durations from now. Such a late lease was written before the clock was set
 * back, and it could block all tabs for hours. The limit is not exactly one duration, because
 * browsers round the time differently in each tab.
 */
function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && lease.until > now && lease.until <= now + 2 * leaseMilliseconds
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
