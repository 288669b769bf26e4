// After a change of the setting `key`, the secrets of apps are encrypted again.
import { createSeal, type Seal, type SealingSecrets } from '../../../base/seal.ts'
import type { StoredFacts } from '../../../feature/situation.ts'
import type { Database, Reader } from '../../../storage/database.ts'
import { listSealed, resealApp, type SealedApp } from './store.ts'

/** Encrypts the secrets of authenticator apps, with keys of the setting `key` only. */
export function createFactorSeal(secrets: SealingSecrets): Seal {
  return createSeal(secrets, 'factors')
}

/** How many apps one query reads. */
const pageSize = 500

/**
 * Finds the secrets that were encrypted with the previous key, and encrypts them with the current
 * one. Reads all apps, so it runs only while there is a previous key.
 */
export async function resealApps(
  database: Pick<Database, 'reader' | 'write'>,
  secrets: SealingSecrets,
): Promise<void> {
  if (secrets.length === 1) return

  const [seal, both] = [createFactorSeal([secrets[0]]), createFactorSeal(secrets)]
  for await (const { subject, state, sealed: before } of listAll(database.reader)) {
    const secret = seal.open(before, subject) === undefined ? both.open(before, subject) : undefined
    if (secret === undefined) continue
    const sealed = seal.seal(secret, subject)
    await database.write(resealApp, { subject, state, before, sealed })
  }
}

/** Whether the secret of at least one app cannot be decrypted with the seal. */
export async function hasUnreadableApp(reader: Reader, seal: Seal): Promise<boolean> {
  for await (const { subject, sealed } of listAll(reader))
    if (seal.open(sealed, subject) === undefined) return true
  return false
}

/**
 * Counts the confirmed apps that none of the secrets can decrypt.
 *
 * @param options.limit how many rows to read at most
 */
export async function countUnreadableApps(
  reader: Reader,
  { secrets, limit }: { readonly secrets: readonly string[]; readonly limit: number },
): Promise<NonNullable<StoredFacts['apps']>> {
  const [first, ...others] = secrets
  const seal = first === undefined ? undefined : createFactorSeal([first, ...others])
  let [rows, checked, unreadable] = [0, 0, 0]
  for await (const { subject, state, sealed } of listAll(reader)) {
    if (++rows > limit) break
    if (state !== 'confirmed') continue
    checked++
    if (seal?.open(sealed, subject) === undefined) unreadable++
  }
  return { checked, unreadable }
}

async function* listAll(reader: Reader): AsyncIterable<SealedApp> {
  for (let after = ''; ;) {
    const page = await listSealed(reader, { after, limit: pageSize })
    yield* page
    const last = page.at(-1)
    if (!last) return
    after = last.subject
  }
}
