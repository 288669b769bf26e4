// What the tests of other runtimes found. They compare results.json; the table of
// docs/reference/runtimes.md follows from it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AlgorithmName } from 'keystile/jwt'
import type { Platform } from '../adapters/suite.ts'

/** By the name of the runtime. */
export type Results = Readonly<
  Record<
    string,
    {
      readonly version: string
      /** What the runtime cannot do, by the name of the algorithm. Each entry has an error. */
      readonly lacks: Readonly<Record<string, readonly string[]>>
      /** How many vectors of Wycheproof get the same verdict and reason as in Node. */
      readonly sameVerdicts: number
      /** How many vectors there are. */
      readonly vectors: number
      readonly platform: Platform
    }
  >
>

export const resultsFile: string = join(import.meta.dirname, 'results.json')

export function readResults(): Results {
  return JSON.parse(readFileSync(resultsFile, 'utf8')) as Results
}

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
