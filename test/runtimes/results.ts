// What the tests of other runtimes found. They compare results.json; the table of
// docs/reference/runtimes.md follows from it.
import { join } from 'node:path'
import type { AlgorithmName } from 'keystile/jwt'

/** By the name of the runtime. */
export type Results = Readonly<
  Record<
    string,
    {
      readonly version: string
      /** What the runtime cannot do with an algorithm, with the errors. */
      readonly lacks: Readonly<Record<string, readonly string[]>>
    }
  >
>

export const resultsFile: string = join(import.meta.dirname, 'results.json')

export const algorithmNames: readonly AlgorithmName[] = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
