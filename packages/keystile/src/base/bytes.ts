// Encoding and decoding of bytes: base64url, UTF-8, and bodies that arrive in pieces.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes base64url strictly. Refuses padding, white space, characters of any other alphabet, and a
 * last character whose unused low bits are not zero. Node's own decoder accepts all of these, so
 * the same bytes could be spelled in several ways, and a changed token could still verify.
 *
 * @returns the bytes, or `undefined` if the text breaks one of these rules
 * @see RFC 4648 §3.5, RFC 7515 §2
 */
export function parseBase64url(text: string): Uint8Array | undefined {
  if (!/^[\w-]*$/.test(text)) return undefined

  const last = text.slice(-1)
  switch (text.length % 4) {
    case 1:
      return undefined
    case 2:
      if (!'AQgw'.includes(last)) return undefined
      break
    case 3:
      if (!'AEIMQUYcgkosw048'.includes(last)) return undefined
  }

  return Buffer.from(text, 'base64url')
}

/** Encodes bytes, or the UTF-8 bytes of a text, as base64url without padding. */
export function toBase64url(bytes: Uint8Array | string): string {
  return (typeof bytes === 'string' ? Buffer.from(bytes) : bufferOf(bytes)).toString('base64url')
}

/**
 * Decodes UTF-8, and keeps a byte order mark as a character.
 *
 * @returns `undefined` if the bytes are not UTF-8
 */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    // The bytes are not UTF-8.
  }
  return undefined
}

/** Returns the same bytes as a Buffer, without a copy. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

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
