// Where the signing keys come from (`openSigningKeySource`), and the secrets that encrypt what is
// stored: the signing keys, values that are needed for some days (`openValueSecrets`), and values
// that must last (`openLastingSecrets`). These three create the file beside SQLite if it is missing
// and needed; `findKeySecrets` and `requireKeySecrets` create nothing. `createSeal()` derives a
// different key from a secret for each purpose.
import { randomId } from 'keystile/internal'
import type { Jwk, JwkSet } from 'keystile/jwt'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { SealingSecrets } from '../../../base/seal.ts'
import { inMemory } from '../../../storage/source.ts'
import type { Pool } from '../../../storage/postgres-client.ts'
import { ownKeysOf, privatePartsOf, type OwnKeys } from './own-keys.ts'
import type { IssuingAlgorithm } from './sealed-keys.ts'
import {
  findKeyFile,
  keyFileBeside,
  readOrCreateSealingSecret,
  readSealingSecret,
} from './key-file.ts'

export interface SigningKeyChoice {
  readonly signingKey?: Jwk | JwkSet | undefined
  readonly key?: string | undefined
  readonly previousKey?: string | undefined
  readonly signingAlgorithm: IssuingAlgorithm
  readonly database: string | Pool
}

type KeyChoice = Pick<SigningKeyChoice, 'key' | 'previousKey' | 'database'>

/**
 * The source of the signing keys: the operator's own keys, or the keys that Keystile makes and
 * encrypts.
 */
export type SigningKeySource =
  | { readonly ownKeys: OwnKeys }
  | {
      readonly algorithm: IssuingAlgorithm
      readonly sealingSecrets: SealingSecrets
    }

/**
 * Decides where the signing keys come from. If the setting `signingKey` is given, its first key
 * signs. Otherwise the keys in the database sign.
 *
 * @throws {ConfigurationError} if the file beside SQLite has no acceptable secret, or if other
 *   users can read the file
 */
export function openSigningKeySource(choice: SigningKeyChoice): SigningKeySource {
  const { signingKey, signingAlgorithm: algorithm } = choice
  if (signingKey) return { ownKeys: ownKeysOf(signingKey) }
  return { algorithm, sealingSecrets: openKeySecrets(choice) }
}

/**
 * Returns the secrets that encrypt values other than signing keys, such as the parameters of
 * mails: the private parts of the operator's own signing keys, or else those of `openKeySecrets()`.
 *
 * @throws {ConfigurationError} for the same reasons as `openSigningKeySource()`
 */
export function openValueSecrets(choice: SigningKeyChoice): SealingSecrets {
  const { signingKey } = choice
  return signingKey ? privatePartsOf(signingKey) : openKeySecrets(choice)
}

/**
 * Returns the secrets that encrypt what must outlive the signing keys, such as the secrets of
 * authenticator apps. Undefined if there is only `signingKey`, which operators replace within a
 * week.
 *
 * @throws {ConfigurationError} for the same reasons as `openSigningKeySource()`
 */
export function openLastingSecrets(choice: SigningKeyChoice): SealingSecrets | undefined {
  return choice.signingKey ? findKeySecrets(choice) : openKeySecrets(choice)
}

/**
 * Returns the secrets that encrypt the signing keys in the database. Without the setting `key`,
 * creates the file beside SQLite if it does not exist.
 */
function openKeySecrets(choice: KeyChoice): SealingSecrets {
  const { database } = choice
  const found = findKeySecrets(choice)
  if (found) return found
  // A database in memory is lost when the process ends, so a new random secret is enough.
  if (database === inMemory) return withPrevious(randomId() + randomId(), choice)
  // The safety rules have made sure that this is not PostgreSQL.
  return withPrevious(readOrCreateSealingSecret(database as string), choice)
}

/**
 * Returns the setting `key`, or the secret in the file beside SQLite, and then `previousKey`, which
 * can decrypt too. Undefined if there is neither `key` nor the file. Creates nothing.
 *
 * @throws {ConfigurationError} for the same reasons as `openSigningKeySource()`
 */
export function findKeySecrets(choice: KeyChoice): SealingSecrets | undefined {
  const file = findKeyFile(choice)
  const current = file === undefined ? choice.key : readSealingSecret(file)
  return current === undefined ? undefined : withPrevious(current, choice)
}

/**
 * Returns the secrets that encrypt the signing keys of a database that already has some. Creates
 * nothing.
 *
 * @throws {ConfigurationError} if the file beside SQLite does not exist, or for the same reasons as
 *   `openSigningKeySource()`
 */
export function requireKeySecrets(choice: KeyChoice): SealingSecrets {
  const found = findKeySecrets(choice)
  if (found) return found
  // The safety rules have made sure that this is not PostgreSQL.
  const file = keyFileBeside(choice.database as string)
  throw new ConfigurationError(
    `the file ${file} must exist: it decrypts the signing keys. Fix: restore it from a backup`,
  )
}

function withPrevious(current: string, { previousKey }: KeyChoice): SealingSecrets {
  return previousKey === undefined ? [current] : [current, previousKey]
}
