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

/** The algorithms that a server issues with. */
export const issuingAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const
export type IssuingAlgorithm = (typeof issuingAlgorithms)[number]

/** The keys of an issuer. */
export interface SigningKeys {
  /** Signs what is issued now. */
  readonly current: SigningKey
  /** Proves what was issued. */
  readonly keySet: KeySet
  /** What `jwks_uri` publishes: public halves only. */
  readonly published: JwkSet
}

/** The signing key of the operator, or where Keystile's own ones come from. */
export type SigningKeySource =
  | { readonly signingKey: SigningKey }
  | {
      readonly algorithm: IssuingAlgorithm
      /** Opens and seals what lies in the database. */
      readonly sealingSecret: string
    }

/**
 * Opens the signing keys of an issuer. Its own ones lie in the database, private halves sealed, and the first is made at
 * the first start.
 *
 * @throws {ConfigurationError} when the database belongs to another issuer or algorithm, or the sealing secret is another
 */
export async function openSigningKeys(
  database: Database,
  { issuer, source, clock }: { readonly issuer: string; readonly source: SigningKeySource; readonly clock: Clock },
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
    await database.write(insertFirstSigningKey, sealedRow(generateKey(source.algorithm), seal, clock))
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
export function findStoredIssuer({ reader }: Pick<Database, 'reader'>): Promise<string | undefined> {
  return readIssuer(reader)
}

export function belongsElsewhere(stored: string, issuer: string): string {
  return (
    `belongs to the issuer ${stored}, and the configured one is ${show(issuer)}. Tokens name their issuer, so ` +
    'changing it logs everybody out'
  )
}

/** What is known of the stored keys without opening them, oldest first. */
export async function listSigningKeys(
  database: Database,
): Promise<readonly { readonly keyId: string; readonly algorithm: string; readonly createdAt: Date }[]> {
  const rows = await listSigningKeyRows(database.reader)
  return rows.map(({ id, algorithm, created_at }) => ({ keyId: id, algorithm, createdAt: new Date(created_at) }))
}

/** @throws {ConfigurationError} unless it is a private key for an algorithm that the server issues with */
export function signingKeyOf(jwk: Jwk): SigningKey {
  const key = importKey(jwk)
  if (!canSign(key) || !issuingAlgorithms.some((name) => name === key.algorithm.name)) {
    throw new ConfigurationError(`a signing key is a private JWK with "alg" ${issuingAlgorithms.join(', ')}`)
  }
  return key.keyId === undefined ? { ...key, keyId: thumbprint(exportPublicJwk(key)) } : key
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

function sealedRow(key: SigningKey, seal: Seal, clock: Clock): SigningKeyRow {
  const id = key.keyId!
  return {
    id,
    algorithm: key.algorithm.name,
    sealed_jwk: seal.seal(JSON.stringify(exportPrivateJwk(key)), id),
    created_at: clock.now(),
  }
}

function keysOf(keys: readonly SigningKey[]): SigningKeys {
  return { current: keys.at(-1)!, keySet: keySetOf(keys), published: { keys: keys.map(exportPublicJwk) } }
}
