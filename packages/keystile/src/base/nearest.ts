// Messages about a misspelt name, which suggest the name that was probably meant.

/**
 * Returns the known word that is most similar to a misspelt word. Returns `undefined` if no known
 * word is similar enough.
 */
export function findNearest(word: string, known: readonly string[]): string | undefined {
  const closest = known
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .toSorted((a, b) => a.distance - b.distance)[0]
  const mostEdits = Math.max(2, Math.floor(word.length / 3))
  return closest && closest.distance <= mostEdits ? closest.candidate : undefined
}

/**
 * Returns the end of a message about an unknown name, such as `did you mean port? The settings are
 * host, port`. If `nearest` is undefined, returns only `list`.
 */
export function listKnown(nearest: string | undefined, list: string): string {
  return nearest === undefined
    ? list
    : `did you mean ${nearest}? ${list.charAt(0).toUpperCase()}${list.slice(1)}`
}

/** If a command has more flags, a message does not list them. */
const mostListed = 20

/** Returns the message about a flag that a command does not have. */
export function unknownFlag(flag: string, names: readonly string[]): string {
  if (names.length === 0) return `there is no flag ${flag}. Fix: leave it out`
  const known = names.map((name) => `--${name}`)
  const nearest = findNearest(flag, known)
  const list = known.length > mostListed ? 'see keystile help' : `the flags are ${known.join(', ')}`
  const fix = nearest === undefined ? list : `write ${nearest}`
  return `there is no flag ${flag}. Fix: ${fix}`
}

/** Returns the Levenshtein distance: how many letters must be added, removed or replaced. */
function editDistance(from: string, to: string): number {
  // Each row has the distances between a start of `from` and every start of `to`.
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (const [i, letter] of from.split('').entries()) {
    const next = [i + 1]
    for (const [j, other] of to.split('').entries()) {
      const [above = 0, diagonal = 0, left = 0] = [row[j + 1], row[j], next[j]]
      next.push(Math.min(above + 1, left + 1, diagonal + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row[to.length] ?? 0
}
