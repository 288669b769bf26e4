/** Standard base64 without padding, as PHC strings have it. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

/** Groups of four, and what may be left: with stray bits there would be several spellings. */
const canonical = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048])?$/

/** Whether a text is spelt as `encodeBase64` does. */
export function isBase64(text: string): boolean {
  return canonical.test(text)
}

/** The bytes of what is spelt so. */
export function decodeBase64(text: string): Buffer {
  return Buffer.from(text, 'base64')
}
