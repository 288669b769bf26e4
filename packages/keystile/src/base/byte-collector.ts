// Collects a body that arrives in pieces, from a sender that may send very small ones.

export interface ByteCollector {
  /**
   * The size to compare with a limit: the number of bytes, or 16 times the number of pieces after
   * the first, whichever is larger. Handling one piece takes as long as copying thousands of bytes,
   * so a body of tiny pieces must reach the limit sooner.
   */
  readonly size: number
  add(piece: Uint8Array): void
  bytes(): Uint8Array
}

/** When a collector holds this many pieces, it joins them into one. */
const maxPieces = 64

/** How many bytes each piece after the first counts as, at least. */
const leastPieceBytes = 16

/**
 * Makes a collector of pieces of bytes. Joins every 64 pieces into one buffer as they arrive,
 * because a separate buffer for one byte takes several hundred bytes of memory. Without joining, a
 * sender of one-byte pieces could use up the memory.
 */
export function createByteCollector(): ByteCollector {
  let pieces: Uint8Array[] = []
  let [length, count] = [0, 0]

  return {
    get size() {
      return Math.max(length, leastPieceBytes * (count - 1))
    },
    add(piece) {
      length += piece.length
      count++
      pieces.push(piece)
      if (pieces.length === maxPieces) pieces = [Buffer.concat(pieces)]
    },
    bytes: () => Buffer.concat(pieces),
  }
}
