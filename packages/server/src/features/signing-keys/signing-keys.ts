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
import { claimIssuer, insertFirstSigningKey, listSigningKeyRows, readIssuer } from './store.ts'
import type { SigningKeyRow } from './tables.ts'
import { show } from '../../feature/wording.ts'
import { ConfigurationError } from '../../base/configuration-error.ts'

/** The algorithms that a server can issue tokens with. */
export const issuingAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const
export type IssuingAlgorithm = (typeof issuingAlgorithms)[number]

/** The keys of an issuer. */
export interface SigningKeys {
  /** Signs new tokens. */
  readonly current: SigningKey
  /** Verifies the tokens of this issuer. */
  readonly keySet: KeySet
  /** The public halves, as `jwks_uri` publishes them. */
  readonly published: JwkSet
}

/** The operator's own signing key, or what Keystile's own keys are made and opened with. */
export type SigningKeySource =
  | { readonly signingKey: SigningKey }
  | {
      readonly algorithm: IssuingAlgorithm
      /** Seals and opens the keys in the database. */
      readonly sealingSecret: string
    }

/**
 * Opens the signing keys of an issuer. Keystile's own keys are in the database, with sealed private
 * halves; the first start makes the first one.
 *
 * @throws {ConfigurationError} when the database belongs to another issuer or algorithm, or the
 *   keys were sealed with another secret
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
      `this database ${belongsElsewhere(stored, issuer)}: configure ${stored}, or use another database`,
    )
  }
  if ('signingKey' in source) return keysOf([source.signingKey])

  const seal = createSeal(source.sealingSecret, 'signing keys')
  if ((await listSigningKeyRows(database.reader)).length === 0) {
    await database.write(
      insertFirstSigningKey,
      sealedRow(named(generateKey(source.algorithm)), seal, clock),
    )
  }

  const keys = keysOf((await listSigningKeyRows(database.reader)).map((row) => openRow(row, seal)))
  const { name } = keys.current.algorithm
  if (name !== source.algorithm) {
    throw new ConfigurationError(
      `this database's signing key is for ${name}, and ${source.algorithm} is configured; it cannot be changed yet`,
    )
  }
  return keys
}

/** The issuer that a database belongs to; undefined where it was never started. */
export function findStoredIssuer({
  reader,
}: Pick<Database, 'reader'>): Promise<string | undefined> {
  return readIssuer(reader)
}

export function belongsElsewhere(stored: string, issuer: string): string {
  return (
    `belongs to the issuer ${stored}, and the configured one is ${show(issuer)}. Tokens name their issuer, so ` +
    'changing it logs everybody out'
  )
}

/** Lists the stored keys without opening them, oldest first. */
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

/** @throws {ConfigurationError} unless it is a private key for one of `issuingAlgorithms` */
export function signingKeyOf(jwk: Jwk): NamedKey {
  const key = importKey(jwk)
  if (!canSign(key) || !issuingAlgorithms.some((name) => name === key.algorithm.name)) {
    throw new ConfigurationError(
      `a signing key is a private JWK with "alg" ${issuingAlgorithms.join(', ')}`,
    )
  }
  return named(key)
}

/** A key with a `kid`. */
type NamedKey = SigningKey & { readonly keyId: string }

/** A key without a `kid` gets its thumbprint as one. */
function named(key: SigningKey): NamedKey {
  return { ...key, keyId: key.keyId ?? thumbprint(exportPublicJwk(key)) }
}

function openRow(row: SigningKeyRow, seal: Seal): SigningKey {
  const jwk = seal.open(row.sealed_jwk, row.id)
  if (jwk === undefined) {
    throw new ConfigurationError(
      'the signing keys in this database were sealed under another key: give the key (or the file keystile.key) that was there when they were made',
    )
  }
  return signingKeyOf(JSON.parse(jwk) as Jwk)
}

function sealedRow(key: NamedKey, seal: Seal, clock: Clock): SigningKeyRow {
  const id = key.keyId
  return {
    id,
    algorithm: key.algorithm.name,
    sealed_jwk: seal.seal(JSON.stringify(exportPrivateJwk(key)), id),
    created_at: clock.now(),
  }
}

/** @param keys oldest first */
function keysOf(keys: readonly SigningKey[]): SigningKeys {
  const current = keys.at(-1)
  if (!current) throw new Error('an issuer must have a signing key')

  return { current, keySet: keySetOf(keys), published: { keys: keys.map(exportPublicJwk) } }
}
