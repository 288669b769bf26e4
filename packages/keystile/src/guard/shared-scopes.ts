/**
 * The largest number of lists of scopes that are kept in memory. Most issuers use few different
 * lists, but an issuer may write a different list for each user. Without the limit, such lists
 * could fill the memory.
 */
const maxLists = 1_000

/**
 * Creates a function that returns one frozen list for equal lists of scopes. A guard compares the
 * scopes of each request. If each token had a list of its own, this list would often not be in the
 * processor's cache. Loading it from memory takes longer than the comparison.
 */
export function createSharedScopes(): (scopes: readonly string[]) => readonly string[] {
  let lists = new Map<string, readonly string[]>()

  return (scopes) => {
    // Not joined with spaces: a name may contain one, and ['a b'] must not become ['a', 'b'].
    const key = JSON.stringify(scopes)
    const known = lists.get(key)
    if (known) return known

    if (lists.size >= maxLists) lists = new Map()
    const list = Object.freeze([...scopes])
    lists.set(key, list)
    return list
  }
}
