const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads unpadded base64url, and only its one canonical spelling: no padding, no white space, no
 * other alphabet, and the unused low bits of the last character are zero. Node's own decoder
 * accepts all of these.
 *
 * @returns the bytes, or `undefined` when the text is not canonical
 * @see RFC 4648 §3.5, RFC 7515 §2
 */
export function parseBase64url(text: string): Buffer | undefined {
  if (!/^[\w-]*$/.test(text)) return undefined
  const last = text[text.length - 1] ?? ''
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

export function toBase64url(bytes: Uint8Array | string): string {
  return (
    typeof bytes === 'string'
      ? Buffer.from(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  ).toString('base64url')
}

/**
 * Decodes UTF-8; a byte order mark stays in the text. @returns `undefined` when the bytes are not
 * UTF-8
 */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Bytes, and those that they spell as text in base64, base64url or hex. White space and quotation
 * marks before are skipped.
 */
export function readingsOf(bytes: Uint8Array): readonly Buffer[] {
  const itself = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const text = itself.toString('latin1').replace(/^[\s"'`]+/, '')
  return [itself, Buffer.from(text, 'base64'), Buffer.from(text, 'hex')]
}

/** Collects the pieces in which bytes arrive. */
export interface ByteCollector {
  /**
   * Bytes, for a limit. Where there are many pieces, each counts as 16 at least: to handle one
   * takes as long as to copy some thousand bytes.
   */
  readonly size: number
  add(piece: Uint8Array): void
  bytes(): Buffer
}

const maxPieces = 64
const leastPieceBytes = 16

/**
 * Makes a collector that joins pieces as they come: a buffer of its own for each byte, as a sender
 * of one-byte chunks would have it, takes several hundred times the memory of the byte.
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
