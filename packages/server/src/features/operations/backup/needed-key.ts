// Which key an operator needs beside a backup.

import { readFileSync } from 'node:fs'
import { inspectDatabase } from '../../../storage/facts.ts'
import { canOpen } from '../../tokens/signing-keys/sealed-keys.ts'
import { keyFileBeside } from '../../tokens/signing-keys/sealing-secret.ts'
import { findSealedKey } from '../../tokens/signing-keys/signing-keys.ts'

/**
 * Says which key is needed to restore a backup. The backup never contains this key: a person with
 * the backup and the key can make tokens.
 *
 * @param options.database the SQLite file that was copied
 */
export async function describeNeededKey(
  backup: string,
  { database, signingKey }: { readonly database: string; readonly signingKey?: unknown },
): Promise<string> {
  const key = await inspectDatabase(backup, (reader) => findSealedKey({ reader }))
  const keyFile = keyFileBeside(database)
  const secret = readSecret(keyFile)
  const needed =
    signingKey !== undefined
      ? 'the key of the setting signingKey'
      : key && secret !== undefined && canOpen(key, [secret])
        ? `the file ${keyFile}`
        : 'the value of KEYSTILE_KEY'
  return (
    `To restore it, you also need ${needed}. It is not in the backup. Keep a copy of it in ` +
    'another place: a person who has both can make tokens'
  )
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    // There is no such file, or this user may not read it.
  }
  return undefined
}
