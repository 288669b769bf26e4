/** The times at which something succeeded. */
export interface Pulse {
  /** Records a success. */
  beat(): void
  /** The time of the latest success, by `performance.now()`. */
  readonly last: number
  /**
   * Returns the longest time without a success since `from`, in milliseconds. The time that runs
   * now counts too.
   */
  longestGap(from: number): number
}

/** Starts without a success. */
export function createPulse(): Pulse {
  const beats: number[] = []
  return {
    beat: () => void beats.push(performance.now()),
    get last() {
      return beats.at(-1) ?? -Infinity
    },
    longestGap(from) {
      const first = beats.findLastIndex((beat) => beat < from)
      const times = [...beats.slice(Math.max(0, first)), performance.now()]
      return Math.max(0, ...times.slice(1).map((time, n) => time - (times[n] ?? time)))
    },
  }
}
