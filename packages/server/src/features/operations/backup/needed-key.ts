// Which keys an operator needs beside a backup.

import { readFileSync } from 'node:fs'
import { inspectDatabase } from '../../../storage/inspect.ts'
import { countUnreadableApps } from '../../credentials/second-factors/reseal.ts'
import { findKeyFile, keyFileBeside } from '../../tokens/signing-keys/key-file.ts'
import { findSealedKey } from '../../tokens/signing-keys/key-standing.ts'
import { canOpen } from '../../tokens/signing-keys/sealed-keys.ts'

/**
 * Says which keys are needed to restore a backup. The backup never contains them: a person with
 * the backup and the keys can make tokens.
 *
 * @param options.database the SQLite file that was copied
 */
export async function describeNeededKey(
  backup: string,
  options: { readonly database: string; readonly key?: unknown; readonly signingKey?: unknown },
): Promise<string> {
  if (options.signingKey === undefined)
    return describeOne(await nameSealingKey(backup, options.database))

  const signingKey = 'the key of the setting signingKey'
  const appKey = await nameAppKey(backup, options)
  return appKey === undefined ? describeOne(signingKey) : describeTwo(signingKey, appKey)
}

function describeOne(key: string): string {
  return (
    `To restore it, you also need ${key}. It is not in the backup. Keep a copy of it in another ` +
    'place: a person who also has the backup can make tokens'
  )
}

function describeTwo(first: string, second: string): string {
  return (
    `To restore it, you also need ${first} and ${second}. They are not in the backup. Keep a ` +
    'copy of them in another place: a person who also has the backup can make tokens'
  )
}

const settingKey = 'the value of KEYSTILE_KEY'

/** Names the key that encrypts the signing keys. */
async function nameSealingKey(backup: string, database: string): Promise<string> {
  const key = await inspectDatabase(backup, (reader) => findSealedKey({ reader }))
  const keyFile = keyFileBeside(database)
  const secret = readSecret(keyFile)
  return key && secret !== undefined && canOpen(key, [secret]) ? `the file ${keyFile}` : settingKey
}

/**
 * Names the key that encrypts authenticator apps beside `signingKey`; undefined if there is none.
 * The command may run without the setting `key`, so apps in the backup show that there is one.
 */
async function nameAppKey(
  backup: string,
  { database, key }: { readonly database: string; readonly key?: unknown },
): Promise<string | undefined> {
  if (key !== undefined) return settingKey
  const keyFile = findKeyFile({ key, database })
  if (keyFile !== undefined) return `the file ${keyFile}`

  const found = await inspectDatabase(backup, (reader) =>
    countUnreadableApps(reader, { secrets: [], limit: 1_000 }),
  )
  return found?.unreadable ? settingKey : undefined
}

/** Returns undefined if there is no such file, or if this user may not read it. */
function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
