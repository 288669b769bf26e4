/**
 * The name of a sender; undefined if the sender is unknown. All unknown senders count as one
 * sender.
 */
type Sender = string | undefined

/**
 * A queue that serves its senders in rotation: it takes the oldest item of one sender, then the
 * oldest item of the next sender. So a sender who floods the queue delays each item of another
 * sender by one item at most.
 */
export interface FairQueue<Item> {
  readonly size: number
  /** The item that has waited longest, of any sender. */
  readonly oldest: Item | undefined
  /** Returns how many waiting items would be taken before an item that this sender adds now. */
  ahead(sender: Sender): number
  /**
   * Adds an item. A full queue evicts one item: the newest item of the sender with the most items.
   * But if that sender has at most one item more than the sender of the new item, a full queue
   * evicts the new item instead.
   *
   * @returns the evicted item
   */
  add(sender: Sender, item: Item): Item | undefined
  take(): Item | undefined
  takeOldest(): Item | undefined
}

interface Place<Item> {
  readonly sender: Sender
  readonly item: Item
}

/**
 * Maps each sender to its line: its waiting items, oldest first. The map begins with the next
 * sender to serve. A sender without items is not in the map.
 */
type Lines<Item> = Map<Sender, Place<Item>[]>

/**
 * Creates an empty queue.
 *
 * @param places how many items may wait in the queue
 */
export function createFairQueue<Item>(places: number): FairQueue<Item> {
  const lines: Lines<Item> = new Map()
  /** The places of all senders, oldest first. */
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
      // Moves the line to the end. If the line is empty, `takeFrom()` has already deleted it.
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
  // A line before the sender's line is served once more than a line behind it.
  let turns = own + 1
  for (const [other, line] of lines) {
    if (other === sender) turns = own
    else before += Math.min(line.length, turns)
  }
  return before
}

/**
 * Makes room for a new item of `sender`: removes and returns the newest item of the sender with the
 * most items. Does this only if that sender has at least two items more than `sender`. Otherwise
 * removes nothing. A sender has no fixed share of the queue, because behind a proxy all users may
 * be one sender.
 */
function evictFor<Item>(sender: Sender, lines: Lines<Item>): Place<Item> | undefined {
  let longest: Place<Item>[] = []
  for (const line of lines.values()) if (line.length > longest.length) longest = line
  if (longest.length < (lines.get(sender)?.length ?? 0) + 2) return undefined

  return longest.pop()
}
