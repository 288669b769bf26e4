// Base32: five bits a letter (RFC 4648 §6). Authenticator apps and recovery codes use different
// alphabets.

/** Encodes bytes. Does NOT pad, so the number of bytes must be a multiple of five. */
export function encodeBase32(bytes: Uint8Array, alphabet: string): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return bits.replaceAll(/.{5}/g, (five) => alphabet.charAt(Number.parseInt(five, 2)))
}

/** Decodes what `encodeBase32()` has returned for the same alphabet. */
export function decodeBase32(text: string, alphabet: string): Buffer {
  const bitsOf = (letter: string): string => alphabet.indexOf(letter).toString(2).padStart(5, '0')
  const bytes = text.replaceAll(/./g, bitsOf).match(/.{8}/g) ?? []
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)))
}
