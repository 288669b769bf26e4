/** Standard base64 without padding, as PHC strings have it. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

/** The bytes, or `undefined` for any spelling but the one that `encodeBase64` gives. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return encodeBase64(bytes) === text ? bytes : undefined
}
