/** Several measurements of one thing. */
export interface Summary {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** @throws {RangeError} when there is nothing to summarize */
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
 * Combines the two measurements of each round, for example into their ratio. If other programs
 * slowed both down, the ratio stays the same.
 */
export function summarizePairs(
  a: readonly number[],
  b: readonly number[],
  combine: (a: number, b: number) => number,
): Summary {
  return summarize(a.map((value, round) => combine(value, b[round]!)))
}
