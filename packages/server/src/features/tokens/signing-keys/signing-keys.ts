// The signing keys of an issuer: made at the first start, encrypted in the database, and replaced
// by the rotation (decisions/0026-keys-rotate-by-their-rows.md). In reading order:
//
// 1. `tables.ts`: a row has the times at which its key is published, begins to sign and ends.
//    `plan.ts` computes from these times which key signs, and what is due.
// 2. `rotation.ts` asks `plan` each minute, in the process with the lease. If something is due, it
//    makes a key (`sealed-keys.ts` encrypts it) and calls the command `advanceSigningKeys`
//    (`store.ts`), which locks the keys and asks `plan` again. So concurrent processes insert only
//    one key.
// 3. `key-ring.ts` has the keys of each process, in a copy (`key-copies.ts`). Before the process
//    signs or publishes, it reads the keys again if the copy is over 5 s old. A copy that is over
//    half an hour old is not used: the request gets 503.
// 4. A guard of the same process finds keys in the ring. If a token has an unknown `kid`, the
//    verifier calls `seek`, and the ring reads the keys again, at most four times a second.
// 5. `cli.ts`: `keystile key revoke` calls the command `revokeSigningKey`. It deletes the key,
//    makes another key sign at once, and inserts a revocation event. The feed of each process
//    passes it to the ring, which drops the key and reads the keys again.
//
// The operator's own keys (`own-keys.ts`) have the same interface, but no rows and no rotation. The
// setting `key` can be replaced: base/seal.ts encrypts with the first of several secrets, and
// `previousKey` decrypts what is left from before.

import type { Clock, Logger } from 'keystile/internal'
import type { Seal, SealingSecrets } from '../../../base/seal.ts'
import type { Database } from '../../../storage/database.ts'
import type { EventFeed } from '../events/events.ts'
import { requireIssuer } from './issuer.ts'
import { openKeyRing, ringOf, type KeyRing } from './key-ring.ts'
import type { RotationTimes } from './plan.ts'
import { createKeySeal, makeSealedKey } from './sealed-keys.ts'
import { readLongestToken, recordTokenLifetime } from './setting-store.ts'
import type { SigningKeySource } from './signing-key-source.ts'
import type { IssuingAlgorithm } from './signing-key.ts'
import { advanceSigningKeys, listSigningKeyRows, resealSigningKey } from './store.ts'

export interface SigningKeyParts {
  readonly issuer: string
  readonly source: SigningKeySource
  readonly accessTokenSeconds: number
  readonly feed: Pick<EventFeed, 'onEvent'>
  readonly clock: Clock
  readonly logger: Logger
  readonly times: RotationTimes
}

/**
 * Opens the signing keys of an issuer. The keys that Keystile makes are in the database, encrypted.
 * The first start makes the first key.
 *
 * @throws {ConfigurationError} if the database belongs to a different issuer, or if its
 *   keys were encrypted with a different secret
 */
export async function openSigningKeys(
  database: Database,
  parts: SigningKeyParts,
): Promise<KeyRing> {
  const { issuer, source, accessTokenSeconds, feed, times } = parts
  await requireIssuer(database, issuer)

  // Most starts write nothing, and so wait for no lock.
  if ((await readLongestToken(database.reader)) < accessTokenSeconds)
    await database.write(recordTokenLifetime, accessTokenSeconds)

  if ('ownKeys' in source) return ringOf(source.ownKeys, times)

  const seal = createKeySeal(source.sealingSecrets)
  await makeFirstKey(database, { ...parts, algorithm: source.algorithm, seal })
  await resealKeys(database, source.sealingSecrets)
  return openKeyRing(database, {
    ...parts,
    seal,
    onKeyRevoked: (listener) =>
      feed.onEvent(({ kind, value }) => {
        if (kind === 'key') listener(value)
      }),
  })
}

/**
 * Makes the first key, if the database has none. If several processes do this at the same time,
 * only one of their keys is stored.
 */
async function makeFirstKey(
  database: Database,
  parts: Pick<SigningKeyParts, 'clock' | 'times'> & {
    readonly algorithm: IssuingAlgorithm
    readonly seal: Seal
  },
): Promise<void> {
  const { algorithm, seal, clock, times } = parts
  if ((await listSigningKeyRows(database.reader)).length > 0) return

  const offered = await makeSealedKey(algorithm, seal)
  await database.write(advanceSigningKeys, { now: clock.now(), algorithm, offered, times })
}

/**
 * Finds the keys that were encrypted with the previous secret, and encrypts them with the current
 * secret.
 */
async function resealKeys(database: Database, secrets: SealingSecrets): Promise<void> {
  if (secrets.length === 1) return

  const seal = createKeySeal([secrets[0]])
  const anySeal = createKeySeal(secrets)
  for (const { id, sealed_jwk: before } of await listSigningKeyRows(database.reader)) {
    if (seal.open(before, id) !== undefined) continue
    const jwk = anySeal.open(before, id)
    if (jwk === undefined) continue
    await database.write(resealSigningKey, { id, before, sealed: seal.seal(jwk, id) })
  }
}
