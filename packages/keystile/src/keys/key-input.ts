// The form in which node:crypto of this runtime takes a key: Cloudflare Workers take only JWKs.
import { createPublicKey, createVerify, type KeyObject, type webcrypto } from 'node:crypto'

type KeyInput =
  | { readonly key: KeyObject }
  | { readonly key: webcrypto.JsonWebKey; readonly format: 'jwk' }

export type ToKeyInput = (key: KeyObject) => KeyInput

/** For Node, Deno and Bun. */
const asKeyObject: ToKeyInput = (key) => ({ key })

const jwkInputs = new WeakMap<KeyObject, KeyInput>()

/**
 * For workerd, which refuses `{ key: KeyObject }`. Keeps the JWK of each key, because an export
 * takes longer than a verification.
 */
export const asJwk: ToKeyInput = (key) => {
  let input = jwkInputs.get(key)
  if (!input) {
    input = { key: key.export({ format: 'jwk' }), format: 'jwk' }
    jwkInputs.set(key, input)
  }
  return input
}

/** Converts a key to the form that this runtime takes. No other code needs to know the runtime. */
export const toKeyInput: ToKeyInput = acceptsKeyObjects() ? asKeyObject : asJwk

/**
 * Whether node:crypto of this runtime accepts a key as `{ key: KeyObject }`. To find out, this
 * function verifies a signature with such a key. The key is the base point of P-256.
 */
function acceptsKeyObjects(): boolean {
  const basePoint = {
    kty: 'EC',
    crv: 'P-256',
    x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
    y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
  }
  const key = createPublicKey({ key: basePoint, format: 'jwk' })
  let accepts = false
  try {
    createVerify('sha256').verify(asKeyObject(key), new Uint8Array(64))
    accepts = true
  } catch {
    // This runtime wants another form, so `accepts` remains false.
  }
  return accepts
}
