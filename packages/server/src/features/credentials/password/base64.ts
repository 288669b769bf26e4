/** Encodes bytes in standard base64 without padding, as PHC strings use it. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

/**
 * Matches groups of four characters, and a last group whose unused bits are zero. If other bits
 * were allowed, several strings would decode to the same bytes.
 */
const canonical =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048])?$/

/** Whether a string is one that `encodeBase64()` can return. */
export function isBase64(text: string | undefined): text is string {
  return text !== undefined && canonical.test(text)
}

/** Decodes a string. Does NOT check the string: call `isBase64()` first. */
export function decodeBase64(text: string): Buffer {
  return Buffer.from(text, 'base64')
}
