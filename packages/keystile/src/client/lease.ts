/** Who holds a lock, and until when. */
export interface Lease {
  /** `undefined`: its owner is done, and nobody may take it before its end. */
  readonly owner: string | undefined
  /** Milliseconds since 1970-01-01 UTC. */
  readonly until: number
}

/** Leases that all tabs of an origin see. */
export interface Leases {
  /** Replaces a lease by the result of `change` in one atomic step, and returns that. */
  update(name: string, change: (lease: Lease | undefined) => Lease): Promise<Lease>
}

/** How long a tab that crashed blocks the others, in milliseconds. */
const leaseTime = 5_000
const renewEvery = leaseTime / 5
/** Average milliseconds between two tries to take a lease. */
const lookEvery = 50

/**
 * Runs an action while it holds the lease of this name, and renews the lease as long as the action
 * takes. The lease of a tab that is closed or crashes expires. A tab that slept through the end of
 * its lease may run beside another.
 *
 * @param remaining milliseconds that the lease outlives the action, even if the tab is closed
 */
export async function withLease<T>(
  leases: Leases,
  name: string,
  action: () => Promise<T>,
  remaining: () => number,
): Promise<T> {
  const owner = `${Math.random()}`
  const take = async (): Promise<boolean> => {
    const now = Date.now()
    const lease = await leases.update(name, (held) =>
      isHeld(held, now) && held.owner !== owner ? held : { owner, until: now + leaseTime },
    )
    return lease.owner === owner
  }
  while (!(await take())) await delay(lookEvery * (0.5 + Math.random()))
  const renewing = setInterval(() => void take().catch(() => {}), renewEvery)
  try {
    return await action()
  } finally {
    clearInterval(renewing)
    const lease = { owner: undefined, until: Date.now() + remaining() }
    await leases.update(name, (held) => (!held || held.owner === owner ? lease : held))
  }
}

/** Whether a lease is valid. One with too late an end was made before the clock was set back. */
function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && lease.until > now && lease.until <= now + leaseTime
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
