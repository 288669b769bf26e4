/** Standard base64 without padding, as in PHC strings. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

/** Groups of four and a rest without stray bits, which would allow several spellings. */
const canonical =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048])?$/

/** Whether a text is exactly what `encodeBase64` returns for some bytes. */
export function isBase64(text: string | undefined): text is string {
  return text !== undefined && canonical.test(text)
}

/** The bytes of such a text. */
export function decodeBase64(text: string): Buffer {
  return Buffer.from(text, 'base64')
}
