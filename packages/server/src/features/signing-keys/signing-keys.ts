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
import { createSeal, type Seal } from './seal.ts'
import type { SigningKeyRow } from '../../storage/tables.ts'
import { claimIssuer, listSigningKeyRows } from './store.ts'

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

/**
 * Opens the signing keys of a database, and makes the first one at the first start. Private halves are sealed at rest.
 *
 * @throws {TypeError} when the database belongs to another issuer or algorithm, or the sealing secret is another
 */
export async function openSigningKeys(
  database: Database,
  options: {
    readonly issuer: string
    readonly algorithm: IssuingAlgorithm
    readonly sealingSecret: string
    /** A private JWK of the operator's, used instead of the stored keys. */
    readonly signingKey: Jwk | undefined
    readonly clock: Clock
  },
): Promise<SigningKeys> {
  const seal = createSeal(options.sealingSecret, 'signing keys')
  const isFirstStart = (await listSigningKeyRows(database.reader)).length === 0
  const firstKey = isFirstStart ? sealedRow(generateKey(options.algorithm), seal, options.clock) : undefined
  const { issuer } = await database.write(claimIssuer, { issuer: options.issuer, firstKey })
  if (issuer !== options.issuer) {
    throw new TypeError(
      `this database belongs to the issuer ${issuer}, and the configured one is ${options.issuer}. ` +
        `Tokens name their issuer, so changing it logs everybody out: configure ${issuer}, or use another database`,
    )
  }
  if (options.signingKey) return keysOf([signingKeyOf(options.signingKey)])
  const rows = await listSigningKeyRows(database.reader)
  const keys = rows.map((row) => {
    const jwk = seal.open(row.sealed_jwk, row.id)
    if (jwk === undefined) {
      throw new TypeError(
        'the signing keys in this database were sealed under another key: give the key (or the file keystile.key) that was there when they were made',
      )
    }
    return signingKeyOf(JSON.parse(jwk) as Jwk)
  })
  const keysNow = keysOf(keys)
  if (keysNow.current.algorithm.name !== options.algorithm) {
    throw new TypeError(
      `this database's signing key is for ${keysNow.current.algorithm.name}, and ${options.algorithm} is configured; it cannot be changed yet`,
    )
  }
  return keysNow
}

/** What is known of the stored keys without opening them, oldest first. */
export async function listSigningKeys(
  database: Database,
): Promise<readonly { readonly keyId: string; readonly algorithm: string; readonly createdAt: Date }[]> {
  const rows = await listSigningKeyRows(database.reader)
  return rows.map(({ id, algorithm, created_at }) => ({ keyId: id, algorithm, createdAt: new Date(created_at) }))
}

/** @throws {TypeError} unless it is a private key for an algorithm that the server issues with */
export function signingKeyOf(jwk: Jwk): SigningKey {
  const key = importKey(jwk)
  if (!canSign(key) || !issuingAlgorithms.some((name) => name === key.algorithm.name)) {
    throw new TypeError(`a signing key is a private JWK with "alg" ${issuingAlgorithms.join(', ')}`)
  }
  return key.keyId === undefined ? { ...key, keyId: thumbprint(exportPublicJwk(key)) } : key
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
