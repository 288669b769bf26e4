// Encodes and decodes bytes: base64url and UTF-8.
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
    case 2: // one byte in 12 bits: the last 4 must be zero
      if (!'AQgw'.includes(last)) return undefined
      break
    case 3: // two bytes in 18 bits: the last 2 must be zero
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
