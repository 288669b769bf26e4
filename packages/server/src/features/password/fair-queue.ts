/**
 * A queue with one line for each sender. The lines take turns, and each line is first come, first
 * served. So a sender who floods the queue delays another sender by one item per turn.
 */
export interface FairQueue<Item> {
  readonly size: number
  /** The item that has waited longest, in any line. */
  readonly oldest: Item | undefined
  /** Returns how many waiting items would be taken before an item that this sender adds now. */
  ahead(sender: Sender): number
  /**
   * Adds an item. If all places are taken, it evicts the last item of the longest line. If the new
   * item would make the sender's line as long as the longest line, it evicts the new item instead.
   *
   * @returns the evicted item
   */
  add(sender: Sender, item: Item): Item | undefined
  /** Removes and returns the item whose turn it is. */
  take(): Item | undefined
  /** Removes and returns the item that has waited longest. */
  takeOldest(): Item | undefined
}

/** Undefined for unknown senders, who share one line. */
type Sender = string | undefined

interface Place<Item> {
  readonly sender: Sender
  readonly item: Item
}

/** The lines in the order of their turns. None is empty. */
type Lines<Item> = Map<Sender, Place<Item>[]>

/**
 * Creates an empty queue.
 *
 * @param places how many items may wait in all lines together
 */
export function createFairQueue<Item>(places: number): FairQueue<Item> {
  const lines: Lines<Item> = new Map()
  /** All places, in the order of their arrival. */
  const all = new Set<Place<Item>>()

  const first = (): Place<Item> | undefined => all.values().next().value

  function takeFrom(sender: Sender, line: Place<Item>[]): Item | undefined {
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
    ahead: (sender) => countAhead(lines, sender),
    add(sender, item) {
      const evicted = all.size < places ? undefined : evictFor(sender, lines)
      if (evicted) all.delete(evicted)
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
      // The line goes to the end. `takeFrom` has deleted it if it is empty.
      if (lines.delete(sender)) lines.set(sender, line)
      return item
    },
    takeOldest() {
      const place = first()
      // The oldest place of all is also the first of its line.
      return place && takeFrom(place.sender, lines.get(place.sender) ?? [])
    },
  }
}

function countAhead<Item>(lines: Lines<Item>, sender: Sender): number {
  const own = lines.get(sender)?.length ?? 0
  let before = own
  // A line before the sender's line gets one turn more than a line behind it.
  let turns = own + 1
  for (const [other, line] of lines) {
    if (other === sender) turns = own
    else before += Math.min(line.length, turns)
  }
  return before
}

/**
 * Removes and returns the last place of the longest line. Removes nothing if the new item would
 * make the sender's line as long as the longest line. A sender has no fixed share of the places,
 * because behind a proxy all users may be one sender.
 */
function evictFor<Item>(sender: Sender, lines: Lines<Item>): Place<Item> | undefined {
  let longest: Place<Item>[] = []
  for (const line of lines.values()) if (line.length > longest.length) longest = line
  if (longest.length < (lines.get(sender)?.length ?? 0) + 2) return undefined

  return longest.pop()
}
