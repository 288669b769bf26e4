/**
 * What waits: a line for each sender, and the lines are served in turns. Whoever comes first in a line is served first in
 * it, so one sender with a long line costs another one place a turn.
 */
export interface FairQueue<Item> {
  readonly size: number
  /** What has waited longest, whoever's turn it is. */
  readonly oldest: Item | undefined
  /** How many are taken before what this sender adds now, if nobody adds anything else. */
  ahead(sender: string): number
  /** @returns what has to give way because all places are taken: the last of the longest line, or else the item itself */
  add(sender: string, item: Item): Item | undefined
  /** Whose turn it is. */
  take(): Item | undefined
  takeOldest(): Item | undefined
}

interface Place<Item> {
  readonly sender: string
  readonly item: Item
}

/** @param places how many may wait, of all senders together */
export function createFairQueue<Item>(places: number): FairQueue<Item> {
  /** The line whose turn it is comes first. None is empty. */
  const lines = new Map<string, Place<Item>[]>()
  /** In the order in which they came. */
  const all = new Set<Place<Item>>()
  const first = (): Place<Item> | undefined => all.values().next().value

  /** It is never the only one of its sender that gives way, nor does anybody for a line that becomes as long. */
  function makeRoom(sender: string): Place<Item> | undefined {
    let longest: Place<Item>[] = []
    for (const line of lines.values()) if (line.length > longest.length) longest = line
    if (longest.length < (lines.get(sender)?.length ?? 0) + 2) return undefined
    const last = longest.pop()
    if (last) all.delete(last)
    return last
  }

  function takeFrom(sender: string, line: Place<Item>[]): Item | undefined {
    const place = line.shift()
    if (line.length === 0) lines.delete(sender)
    if (!place) return undefined
    all.delete(place)
    return place.item
  }

  return {
    get size() {
      return all.size
    },
    get oldest() {
      return first()?.item
    },
    ahead(sender) {
      const own = lines.get(sender)?.length ?? 0
      let before = own
      // Those whose turn comes before the sender's are served once more than those after.
      let turns = own + 1
      for (const [other, line] of lines) {
        if (other === sender) turns = own
        else before += Math.min(line.length, turns)
      }
      return before
    },
    add(sender, item) {
      const evicted = all.size < places ? undefined : makeRoom(sender)
      if (all.size >= places) return item
      const place = { sender, item }
      all.add(place)
      const line = lines.get(sender)
      if (line) line.push(place)
      else lines.set(sender, [place])
      return evicted?.item
    },
    take() {
      const [next] = lines
      if (!next) return undefined
      const [sender, line] = next
      const item = takeFrom(sender, line)
      // Behind all others, if it has more.
      if (lines.delete(sender)) lines.set(sender, line)
      return item
    },
    takeOldest() {
      const place = first()
      // Within its line it is the first, for lines are in the order of their coming too.
      return place && takeFrom(place.sender, lines.get(place.sender) ?? [])
    },
  }
}
