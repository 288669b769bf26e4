// The computation of argon2id: with a prebuilt library, or with Node's own function.
import * as crypto from 'node:crypto'
import { createRequire } from 'node:module'

/** Parameters of argon2id (RFC 9106 §3.1); memory in KiB. */
export interface Argon2Parameters {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

type Derive = (
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  parameters: Argon2Parameters,
) => Uint8Array

/** Undefined until the first hash. All threads load this file, but only hash threads hash. */
let fastest: Derive | undefined

export function derive(...given: Parameters<Derive>): Uint8Array {
  fastest ??= loadPrebuilt() ?? deriveWithNode
  return fastest(...given)
}

/**
 * Loads the prebuilt library, which takes half the time of Node's function. Returns undefined if it
 * does not load on this machine. It is not imported with `await`, because an app in CommonJS cannot
 * `require` a package that awaits while it loads.
 */
function loadPrebuilt(): Derive | undefined {
  try {
    const require = createRequire(import.meta.url)
    const { hashRawSync } = require('@node-rs/argon2') as typeof import('@node-rs/argon2')
    return (password, salt, outputLen, { memory, passes, parallelism }) =>
      hashRawSync(password, {
        salt,
        outputLen,
        memoryCost: memory,
        timeCost: passes,
        parallelism,
        algorithm: 2, // argon2id
        version: 1, // 0x13
      })
  } catch {
    return undefined
  }
}

/**
 * Derives a hash with Node's own argon2id, for machines on which the prebuilt library does not
 * load.
 */
export function deriveWithNode(
  password: Uint8Array,
  nonce: Uint8Array,
  tagLength: number,
  { memory, passes, parallelism }: Argon2Parameters,
): Uint8Array {
  return crypto.argon2Sync('argon2id', {
    message: password,
    nonce,
    tagLength,
    memory,
    passes,
    parallelism,
  })
}
