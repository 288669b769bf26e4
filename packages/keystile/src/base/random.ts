// Random identifiers. They practically never collide.
import { randomBytes } from 'node:crypto'
import { toBase64url } from './bytes.ts'

/**
 * Returns 128 random bits, which nobody can guess, as 22 characters of base64url: for `sub`, `sid`
 * and `jti`.
 */
export function randomId(): string {
  return toBase64url(randomBytes(16))
}

/**
 * Returns a UUID of version 7 (RFC 9562 §5.7). The UUID begins with the time, so rows sort by age.
 */
export function randomRowId(now: number): string {
  return rowId(now, randomBytes(16))
}

/**
 * Returns the lowest row id for a time in milliseconds. Every row id of an earlier time sorts
 * before this id.
 */
export function lowestRowId(now: number): string {
  return rowId(now, Buffer.alloc(16))
}

function rowId(now: number, bytes: Buffer): string {
  bytes.writeUIntBE(now, 0, 6)
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  return bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
