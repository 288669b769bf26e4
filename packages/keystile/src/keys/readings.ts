/**
 * Returns the given bytes. If they are text in base64, base64url or hex, also returns the decoded
 * bytes. Ignores white space and quotation marks at the start.
 */
export function readingsOf(bytes: Uint8Array): readonly Buffer[] {
  const itself = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const text = itself.toString('latin1').replace(/^[\s"'`]+/, '')
  return [itself, Buffer.from(text, 'base64'), Buffer.from(text, 'hex')]
}
