// Compact JSON Web Signatures (RFC 7515): the form of a token, and its signature.
import { parseBase64url, toBase64url } from '../base/bytes.ts'
import { messageOf, tokenError, type TokenError } from '../base/errors.ts'
import { parseJsonObject, type JsonObject } from '../base/json.ts'
import { findAlgorithm, type Algorithm, type AlgorithmName } from '../keys/algorithm.ts'
import type { KeySet } from '../keys/jwk-set.ts'
import { sign, verify } from '../keys/signature.ts'
import type { SigningKey, VerificationKey } from '../keys/signing-key.ts'

/**
 * The maximum length of a token. A longer token is refused before it is parsed. Node accepts at
 * most 16 KiB for all headers together, so a longer token cannot arrive in a header.
 */
export const maxTokenBytes = 16_384

/** A parsed token. Its signature is not verified, so anyone may have written its content. */
export interface ParsedJws {
  readonly header: JsonObject
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
  readonly signed: Uint8Array
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

export interface VerifiedJws {
  readonly header: JsonObject
  readonly payload: Uint8Array
  readonly key: VerificationKey
}

/**
 * Parses a compact JWS. It must have exactly three segments of canonical base64url. Its header must
 * be an unambiguous JSON object with a known algorithm. A header with `crit` is refused, because no
 * extension is supported. `jwk`, `jku`, `x5u` and `x5c` in the header are never read. Otherwise a
 * sender could choose the key that verifies the token.
 *
 * Does NOT verify the signature and does NOT parse the payload.
 *
 * @throws {TokenError} `invalid_token`
 * @see RFC 7515 §3.1 §4.1.11 §5.2
 */
export function parseJws(token: string): ParsedJws {
  if (typeof token !== 'string') throw malformed('not a string')
  if (token.length > maxTokenBytes) throw tokenError('token_too_long')

  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // If a dot is missing, the next search starts at 0 again, and another condition is true as well.
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
  const algorithm = typeof alg === 'string' ? findAlgorithm(alg) : undefined
  if (!algorithm) throw tokenError('unknown_algorithm')
  if (kid !== undefined && typeof kid !== 'string') throw malformed('"kid" is not a string')

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
 * Verifies the signature of a compact JWS with one of the keys.
 *
 * Does NOT check the payload.
 *
 * @param algorithms the allowed algorithms. Default: the algorithms of the keys
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

/** Signs a payload as a compact JWS. Does NOT check that the header fits the key. */
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
