/** Several measurements of one thing. */
export interface Summary {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** @throws {RangeError} if `values` is empty */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('nothing was measured')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median =
    sorted.length % 2 === 1
      ? sorted[Math.floor(middle)]!
      : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, lowest: sorted[0]!, highest: sorted.at(-1)! }
}

/**
 * Combines the measurements `a` and `b` of each round, for example into their ratio, and summarizes
 * the results. If other programs slowed down both measurements, their ratio stays the same.
 */
export function summarizePairs(
  a: readonly number[],
  b: readonly number[],
  combine: (a: number, b: number) => number,
): Summary {
  return summarize(a.map((value, round) => combine(value, b[round]!)))
}
