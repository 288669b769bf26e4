import { parseBase64url, toBase64url } from '../base/bytes.ts'
import { messageOf, tokenError, type TokenError } from '../base/errors.ts'
import { parseJsonObject, type JsonObject } from '../base/json.ts'
import { findAlgorithm, type Algorithm, type AlgorithmName } from '../keys/algorithm.ts'
import type { KeySet } from '../keys/jwk-set.ts'
import { sign, verify, type SigningKey, type VerificationKey } from '../keys/signing-key.ts'

/** A longer token is refused unread: Node accepts 16 KiB of header fields in all. */
export const maxTokenBytes = 16_384

/** A parsed token. Nothing in it is proved. */
export interface ParsedJws {
  readonly header: JsonObject
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
  readonly signed: Buffer
  readonly payload: Buffer
  readonly signature: Buffer
}

export interface VerifiedJws {
  readonly header: JsonObject
  readonly payload: Buffer
  readonly key: VerificationKey
}

/**
 * Parses a compact JWS: exactly three segments of canonical base64url, and a header that is an
 * unambiguous JSON object, names a known algorithm, and has no `crit`, because no extension is
 * supported. Never reads a `jwk`, `jku`, `x5u` or `x5c` of the header.
 *
 * Does NOT check the signature, nor read the payload.
 *
 * @throws {TokenError} `invalid_token`
 * @see RFC 7515 §3.1 §4.1.11 §5.2
 */
export function parseJws(token: string): ParsedJws {
  if (typeof token !== 'string') throw malformed('not a string')
  if (token.length > maxTokenBytes) throw tokenError('token_too_long')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // Where a dot is missing, the next search starts at 0, and another of these tests finds out.
  // Stryker disable next-line ConditionalExpression,LogicalOperator,EqualityOperator: as said above
  if (first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0)
    throw malformed('not three segments')
  const headerBytes = parseBase64url(token.slice(0, first))
  const payload = parseBase64url(token.slice(first + 1, second))
  const signature = parseBase64url(token.slice(second + 1))
  if (!headerBytes || !payload || !signature)
    throw malformed('a segment is not canonical base64url')
  const header = parseHeader(headerBytes)
  if (Object.hasOwn(header, 'crit')) throw tokenError('unknown_extension')
  const { alg, kid } = header
  // Stryker disable next-line ConditionalExpression: no algorithm is found by anything but its name
  const algorithm = typeof alg === 'string' ? findAlgorithm(alg) : undefined
  if (!algorithm) throw tokenError('unknown_algorithm')
  if (kid !== undefined && typeof kid !== 'string') throw malformed('"kid" is not a string')
  // Stryker disable next-line StringLiteral: base64url has the same bytes in UTF-8
  return {
    header,
    algorithm,
    keyId: kid,
    signed: Buffer.from(token.slice(0, second), 'latin1'),
    payload,
    signature,
  }
}

/**
 * Proves who signed a compact JWS.
 *
 * Does NOT check the payload.
 *
 * @param algorithms allows only these, whatever keys there are
 * @throws {TokenError} `invalid_token`
 * @see RFC 7515 §5.2
 */
export function verifyJws(
  token: string,
  keys: KeySet,
  algorithms?: readonly AlgorithmName[],
): VerifiedJws {
  const { header, algorithm, keyId, signed, payload, signature } = parseJws(token)
  if (algorithms && !algorithms.includes(algorithm.name)) throw tokenError('forbidden_algorithm')
  const key = keys.find(keyId, algorithm)
  if (!key) throw tokenError('unknown_key')
  if (!verify(key, signed, signature)) throw tokenError('wrong_signature')
  return { header, payload, key }
}

export function signJws(header: JsonObject, payload: string, key: SigningKey): string {
  const input = `${toBase64url(JSON.stringify(header))}.${toBase64url(payload)}`
  return `${input}.${toBase64url(sign(key, Buffer.from(input)))}`
}

function malformed(detail: string): TokenError {
  return tokenError('malformed_token', { detail })
}

function parseHeader(bytes: Uint8Array): JsonObject {
  try {
    return parseJsonObject(bytes)
  } catch (error) {
    throw malformed(`the header is ${messageOf(error)}`)
  }
}
