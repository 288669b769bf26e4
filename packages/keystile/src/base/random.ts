import { randomBytes } from 'node:crypto'
import { toBase64url } from './bytes.ts'

/** 128 random bits as base64url, 22 characters: `sub`, `sid`, `jti`. */
export function randomId(): string {
  return toBase64url(randomBytes(16))
}

/** A UUID whose first 48 bits are the time, so that rows stay in the order they were made (RFC 9562 §5.7). */
export function randomRowId(now: number): string {
  return rowId(now, randomBytes(16))
}

/** The lowest of the row ids of a time, in milliseconds: all from before are below it. */
export function lowestRowId(now: number): string {
  return rowId(now, Buffer.alloc(16))
}

function rowId(now: number, bytes: Buffer): string {
  bytes.writeUIntBE(now, 0, 6)
  bytes[6] = 0x70 | (bytes[6]! & 0x0f)
  bytes[8] = 0x80 | (bytes[8]! & 0x3f)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
