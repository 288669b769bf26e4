// Compares two series of times.

/** Returns how often a value of `one` exceeds a value of `other`: 0.5 means no difference. */
export function areaUnderCurve(one: readonly number[], other: readonly number[]): number {
  const sorted = other.toSorted((a, b) => a - b)
  let greater = 0
  for (const value of one) {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]! < value) low = middle + 1
      else high = middle
    }
    greater += low
  }
  return greater / (one.length * other.length)
}
