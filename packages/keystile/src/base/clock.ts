/** The time, as milliseconds since 1970-01-01 UTC. A test passes its own. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** Whole seconds since the epoch: the unit of every instant inside a JWT (RFC 7519 §2, NumericDate). */
export function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
