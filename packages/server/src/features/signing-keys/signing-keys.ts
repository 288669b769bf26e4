// The signing keys of an issuer: made at the first start, encrypted in the database, and decrypted
// at each start.

import { canSign, keySetOf, type Clock } from 'keystile/internal'
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  importKey,
  thumbprint,
  type Jwk,
  type JwkSet,
  type KeySet,
  type SigningKey,
} from 'keystile/jwt'
import type { Database } from '../../storage/database.ts'
import { createSeal, type Seal } from '../../base/seal.ts'
import {
  claimIssuer,
  findNewestSigningKeyRow,
  insertFirstSigningKey,
  listSigningKeyRows,
  readIssuer,
} from './store.ts'
import type { SigningKeyRow } from './tables.ts'
import type { SealedKey } from '../../feature/situation.ts'
import { show } from '../../feature/wording.ts'
import { ConfigurationError } from '../../base/configuration-error.ts'

/**
 * The algorithms that a server can sign tokens with. All are asymmetric: an API that verifies
 * tokens must not be able to make them.
 */
export const issuingAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const
export type IssuingAlgorithm = (typeof issuingAlgorithms)[number]

const sealPurpose = 'signing keys'

/** The signing keys of an issuer. */
export interface SigningKeys {
  /** The newest key. It signs new tokens. */
  readonly current: SigningKey
  /** Verifies tokens that any of the keys signed. */
  readonly keySet: KeySet
  /** The public keys, as the URL `jwks_uri` returns them. */
  readonly published: JwkSet
}

/**
 * The source of the signing key: the operator's own key, or the keys that Keystile makes and
 * encrypts.
 */
export type SigningKeySource =
  | { readonly signingKey: SigningKey }
  | {
      readonly algorithm: IssuingAlgorithm
      /** Encrypts and decrypts the keys in the database. */
      readonly sealingSecret: string
    }

/**
 * Returns the signing keys of an issuer. The keys that Keystile makes are in the database,
 * encrypted. The first start makes the first key.
 *
 * @throws {ConfigurationError} if the database belongs to a different issuer, or if its
 *   keys were encrypted with a different secret
 */
export async function openSigningKeys(
  database: Database,
  {
    issuer,
    source,
    clock,
  }: { readonly issuer: string; readonly source: SigningKeySource; readonly clock: Clock },
): Promise<SigningKeys> {
  const stored = await database.write(claimIssuer, issuer)
  if (stored !== issuer) {
    throw new ConfigurationError(
      `this database ${belongsElsewhere(stored, issuer)}. ` +
        `Fix: configure ${stored}, or use another database`,
    )
  }
  if ('signingKey' in source) return keysOf([source.signingKey])

  const seal = createSeal(source.sealingSecret, sealPurpose)
  if ((await listSigningKeyRows(database.reader)).length === 0) {
    await database.write(
      insertFirstSigningKey,
      sealedRow(named(generateKey(source.algorithm)), seal, clock),
    )
  }

  return keysOf((await listSigningKeyRows(database.reader)).map((row) => openRow(row, seal)))
}

/** Returns the issuer that a database belongs to, or undefined for a new database. */
export function findStoredIssuer({
  reader,
}: Pick<Database, 'reader'>): Promise<string | undefined> {
  return readIssuer(reader)
}

/** Returns the newest stored key, encrypted, or undefined for a new database. */
export async function findSealedKey({
  reader,
}: Pick<Database, 'reader'>): Promise<SealedKey | undefined> {
  const row = await findNewestSigningKeyRow(reader)
  return row && { id: row.id, algorithm: row.algorithm, sealed: row.sealed_jwk }
}

/** Whether a secret decrypts a stored key. */
export function canOpen({ id, sealed }: SealedKey, secret: string): boolean {
  return createSeal(secret, sealPurpose).open(sealed, id) !== undefined
}

/** Returns the rest of a sentence that begins with "this database". */
export function belongsElsewhere(stored: string, issuer: string): string {
  return (
    `belongs to the issuer ${stored}, but the configured issuer is ${show(issuer)}. ` +
    'Tokens contain their issuer, so a change of the issuer logs all users out'
  )
}

/** Lists the stored keys, oldest first. Does not decrypt them. */
export async function listSigningKeys(
  database: Database,
): Promise<
  readonly { readonly keyId: string; readonly algorithm: string; readonly createdAt: Date }[]
> {
  const rows = await listSigningKeyRows(database.reader)
  return rows.map(({ id, algorithm, created_at }) => ({
    keyId: id,
    algorithm,
    createdAt: new Date(created_at),
  }))
}

/**
 * Imports the operator's signing key.
 *
 * @throws {ConfigurationError} if the JWK is not a private key for one of `issuingAlgorithms`
 */
export function signingKeyOf(jwk: Jwk): NamedKey {
  const key = importKey(jwk)
  if (!canSign(key) || !issuingAlgorithms.some((name) => name === key.algorithm.name)) {
    throw new ConfigurationError(
      `a signing key must be a private JWK whose "alg" is one of ${issuingAlgorithms.join(', ')}`,
    )
  }
  return named(key)
}

/** A signing key with a `kid`. */
type NamedKey = SigningKey & { readonly keyId: string }

/** Returns the key with a `kid`. If the key has no `kid`, its thumbprint becomes its `kid`. */
function named(key: SigningKey): NamedKey {
  return { ...key, keyId: key.keyId ?? thumbprint(exportPublicJwk(key)) }
}

/**
 * Decrypts a stored key. The encryption also authenticates the id of the row, so a key cannot be
 * moved to a different row.
 */
function openRow(row: SigningKeyRow, seal: Seal): SigningKey {
  const jwk = seal.open(row.sealed_jwk, row.id)
  if (jwk === undefined) {
    throw new ConfigurationError(
      'the signing keys in this database were encrypted with a different key. Fix: give the key ' +
        '(or the file keystile.key) that was used when the signing keys were made',
    )
  }
  return signingKeyOf(JSON.parse(jwk) as Jwk)
}

/** Encrypts a key into the row that stores it. */
function sealedRow(key: NamedKey, seal: Seal, clock: Clock): SigningKeyRow {
  const id = key.keyId
  return {
    id,
    algorithm: key.algorithm.name,
    sealed_jwk: seal.seal(JSON.stringify(exportPrivateJwk(key)), id),
    created_at: clock.now(),
  }
}

/**
 * Returns the signing keys of an issuer.
 *
 * @param keys the keys, oldest first
 */
function keysOf(keys: readonly SigningKey[]): SigningKeys {
  const current = keys.at(-1)
  if (!current) throw new Error('an issuer must have a signing key')

  return { current, keySet: keySetOf(keys), published: { keys: keys.map(exportPublicJwk) } }
}
