/** Who holds a lock, and until when, in milliseconds since 1970-01-01 UTC. */
export interface Lease {
  readonly owner: string
  readonly until: number
}

/** Leases that several tabs see. */
export interface Leases {
  /** Replaces a lease by what `change` makes of it, as one step for all who do so. @returns what is there now */
  update(name: string, change: (lease: Lease | undefined) => Lease): Promise<Lease>
}

/** How long a tab that died keeps the others out, in milliseconds. */
export const leaseTime = 5_000
const renewEvery = leaseTime / 5
/** Milliseconds between two looks whether it is free, about. */
const lookEvery = 50

/**
 * Runs an action while nobody else holds the lease of this name. It is renewed as long as the action takes; a tab that is
 * closed or crashes renews it no more, and then it runs out. A tab that slept through its end may run beside another.
 *
 * @param remaining milliseconds that the lease stays after the action, also where the tab is closed in that time
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
    const lease = { owner: '', until: Date.now() + remaining() }
    await leases.update(name, (held) => (!held || held.owner === owner ? lease : held))
  }
}

/** One that ends later than any can was made before the clock was set back. */
function isHeld(lease: Lease | undefined, now: number): lease is Lease {
  return lease !== undefined && lease.until > now && lease.until <= now + leaseTime
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
