import { parseUtf8 } from './bytes.ts'

export type JsonObject = { readonly [member: string]: unknown }

const maxDepth = 32

/**
 * Parses a JSON object from an untrusted sender. Beyond `JSON.parse` it refuses bytes that are not
 * UTF-8, members that appear twice in an object (two readers would see two values), unpaired
 * surrogates, and nesting deeper than 32 levels.
 *
 * @throws {SyntaxError} whose message completes "is …" and never repeats the input
 * @see RFC 7493 (I-JSON), RFC 7519 §4
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  const text = parseUtf8(bytes)
  if (text === undefined) throw new SyntaxError('not UTF-8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new SyntaxError('not JSON')
  }
  if (!isJsonObject(value)) throw new SyntaxError('not a JSON object')
  // Valid UTF-8 has no surrogates, so only an escape can make one.
  if (countMembers(value, text.includes('\\u'), 1) !== countColons(text)) {
    throw new SyntaxError('not unambiguous: a member appears twice')
  }
  return value
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns an object as it is, and no members for anything else. */
export function asJsonObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/**
 * Counts the members of a parsed value. `JSON.parse` keeps the last of several with one name, so
 * the others are missing here.
 */
function countMembers(value: unknown, mayHoldSurrogates: boolean, depth: number): number {
  if (typeof value === 'string' && mayHoldSurrogates && !value.isWellFormed()) {
    throw new SyntaxError('not well-formed: a surrogate stands alone')
  }
  if (typeof value !== 'object' || value === null) return 0
  if (depth > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth} levels`)
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item, mayHoldSurrogates, depth + 1)
    return count
  }
  for (const [name, item] of Object.entries(value)) {
    if (mayHoldSurrogates) countMembers(name, true, depth)
    count += 1 + countMembers(item, mayHoldSurrogates, depth + 1)
  }
  return count
}

/** Counts the members in the text of valid JSON: each has exactly one colon outside strings. */
function countColons(text: string): number {
  let count = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) inString = !inString
    else if (inString && code === 0x5c) i++
    else if (!inString && code === 0x3a) count++
  }
  return count
}
