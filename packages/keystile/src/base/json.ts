// Strict JSON for tokens, keys, metadata and request bodies.
import { parseUtf8 } from './bytes.ts'

export type JsonObject = { readonly [member: string]: unknown }

/**
 * How deep JSON may be nested at most. A recursion with 32 levels cannot overflow the stack, and
 * claims and keys have far fewer levels.
 */
const maxDepth = 32

/**
 * Parses a JSON object from an untrusted sender, more strictly than `JSON.parse`. It refuses bytes
 * that are not UTF-8, unpaired surrogates, and nesting deeper than 32 levels. It also refuses a
 * member that appears twice in an object: two parsers could read different values, and an attacker
 * could show one value to a check and the other to the app.
 *
 * @throws {SyntaxError} The message completes the sentence "the body is …", for example with
 *   `not JSON`. It never repeats the input
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

  // Valid UTF-8 contains no surrogates, so only a \u escape can produce one.
  if (countMembers(value, text.includes('\\u'), 1) !== countColons(text)) {
    throw new SyntaxError('ambiguous: a member appears twice')
  }
  return value
}

/** Whether a value is an object. Returns false for arrays and for null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns an object unchanged, and an empty object for any other value. */
export function asJsonObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/**
 * Counts the members of a parsed value. If an object has several members with the same name,
 * `JSON.parse` keeps only the last of them. For such a text, this count is lower than the result of
 * `countColons`.
 *
 * @throws {SyntaxError} for an unpaired surrogate, and for too many levels
 */
function countMembers(value: unknown, mayHoldSurrogates: boolean, depth: number): number {
  if (typeof value === 'string' && mayHoldSurrogates && !value.isWellFormed()) {
    throw new SyntaxError('not well-formed: it has an unpaired surrogate')
  }
  if (typeof value !== 'object' || value === null) return 0
  if (depth > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth} levels`)

  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item, mayHoldSurrogates, depth + 1)
    return count
  }
  for (const [name, item] of Object.entries(value)) {
    countMembers(name, mayHoldSurrogates, depth) // counts nothing, but refuses surrogates
    count += 1 + countMembers(item, mayHoldSurrogates, depth + 1)
  }
  return count
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a]

/**
 * Counts the members in a valid JSON text. Each member has exactly one colon outside of strings.
 */
function countColons(text: string): number {
  let count = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === quote) inString = !inString
    else if (inString && code === backslash) i++
    else if (!inString && code === colon) count++
  }
  return count
}
