/** Returns the items whose keys are in `order`, in that order, and then the others as they come. */
export function inOrder<T>(items: readonly T[], order: readonly string[], keyOf: (item: T) => string): readonly T[] {
  const placeOf = (item: T): number => {
    const place = order.indexOf(keyOf(item))
    return place === -1 ? order.length : place
  }
  return items.toSorted((a, b) => placeOf(a) - placeOf(b))
}
