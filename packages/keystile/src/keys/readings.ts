/**
 * Returns the bytes that a secret may stand for: the secret itself, and what it encodes in base64
 * (or base64url) and in hex. The checks of secrets look at all of them. If the secret is not such a
 * text, the decoded bytes mean nothing. Ignores white space and quotation marks at the start.
 */
export function readingsOf(bytes: Uint8Array): readonly Buffer[] {
  const itself = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const text = itself.toString('latin1').replace(/^[\s"'`]+/, '')
  return [itself, Buffer.from(text, 'base64'), Buffer.from(text, 'hex')]
}
