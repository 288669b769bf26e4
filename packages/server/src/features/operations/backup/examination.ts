// Checks whether a backup is whole, and fits this version and its settings.

import { existsSync, statSync } from 'node:fs'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import { countOf } from '../../../feature/count.ts'
import type { Reader } from '../../../storage/database.ts'
import { inspectDatabase } from '../../../storage/inspect.ts'
import { readSchemaState } from '../../../storage/schema-state.ts'
import { findDamage } from '../../../storage/sqlite-copy.ts'
import { findSchemaFault, standingOf } from '../../../storage/standing.ts'
import { countUnreadableApps } from '../../credentials/second-factors/reseal.ts'
import { belongsElsewhere, findStoredIssuer } from '../../tokens/signing-keys/issuer.ts'
import { findKeyFile } from '../../tokens/signing-keys/key-file.ts'
import { describeKeys, type KeyStanding } from '../../tokens/signing-keys/key-standing.ts'
import { findKeySecrets, requireKeySecrets } from '../../tokens/signing-keys/sealing-secrets.ts'
import { readContents, type Contents } from './contents.ts'
import type { Options } from './options.ts'

/**
 * The result of an examination, which ends early at a fault. The backup can be restored if there
 * are no faults. `reached` says what could be examined:
 *
 * - `file`: only the file. It cannot be read, or has no tables of Keystile.
 * - `tables`: also its contents, but this release cannot use the tables.
 * - `rows`: everything.
 */
export type Examined =
  | { readonly reached: 'file'; readonly faults: Faults }
  | { readonly reached: 'tables'; readonly faults: Faults; readonly contents: Contents }
  | {
      readonly reached: 'rows'
      readonly faults: Faults
      readonly contents: Contents
      /** How many migrations a restore runs, because the backup is from an older version. */
      readonly missingMigrations: number
      readonly keys: readonly KeyStanding[]
    }

/** Why a backup cannot be restored. */
type Faults = readonly string[]

/** Examines a backup. Reads the whole backup, and changes nothing. */
export async function examineBackup(
  file: string,
  options: Options,
  now: number,
): Promise<Examined> {
  const refuse = (fault: string): Examined => ({ reached: 'file', faults: [fault] })
  if (!existsSync(file) || !statSync(file).isFile())
    return refuse(`the backup must exist; there is no file ${file}`)
  const damage = findDamage(file)
  if (damage !== undefined)
    return refuse(`the backup must be whole; this one is damaged: ${damage}`)

  const contents = await readContents(file)
  const found =
    contents &&
    (await inspectDatabase(file, (reader) => examineTables(reader, contents, { options, now })))
  return found ?? refuse('the backup must have the tables of Keystile; it has none')
}

async function examineTables(
  reader: Reader,
  contents: Contents,
  { options, now }: { readonly options: Options; readonly now: number },
): Promise<Examined> {
  const state = await readSchemaState(reader)
  const fault = findSchemaFault(state)
  // A restore runs the migrations that are missing.
  if (fault && standingOf(state) !== 'behind')
    return {
      reached: 'tables',
      faults: [`the backup ${fault.message}. Fix: ${fault.fix}`],
      contents,
    }

  const { faults, keys } = await examineRows(reader, options, now)
  return { reached: 'rows', faults, contents, missingMigrations: state.missing.length, keys }
}

async function examineRows(
  reader: Reader,
  options: Options,
  now: number,
): Promise<{ readonly faults: Faults; readonly keys: readonly KeyStanding[] }> {
  const faults: string[] = []

  const issuer = await findStoredIssuer({ reader })
  if (issuer !== undefined && issuer !== options.issuer)
    faults.push(`the backup ${belongsElsewhere(issuer, options.issuer)}. Fix: set the same issuer`)

  let keys: readonly KeyStanding[] = []
  try {
    // With `signingKey`, the server decrypts no stored key.
    if (!options.signingKey)
      keys = await describeKeys(reader, now, () => requireKeySecrets(options))
    faults.push(...(await findAppFaults(reader, options)))
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    faults.push(error.message)
  }

  return { faults, keys }
}

/**
 * Finds out whether the server could decrypt the secrets of the authenticator apps. If it cannot,
 * it does not start (the rule `factor-key-opens`).
 */
async function findAppFaults(reader: Reader, options: Options): Promise<string[]> {
  const secrets = findKeySecrets(options) ?? []
  const { checked, unreadable } = await countUnreadableApps(reader, { secrets, limit: Infinity })
  if (unreadable === 0) return []

  const keyFile = findKeyFile(options)
  return [
    `${keyFile === undefined ? 'KEYSTILE_KEY' : `the file ${keyFile}`} must decrypt the secrets ` +
      `of the authenticator apps in the backup; of ${countOf(checked, 'app')}, it cannot decrypt ` +
      `${unreadable}. Fix: give the key that encrypted them as KEYSTILE_KEY, or, if you ` +
      'replaced it, as KEYSTILE_PREVIOUS_KEY; if it is lost, put the backup in place by hand, ' +
      'and run keystile finish-restore, and keystile user reset-factors for each user who has ' +
      'an app',
  ]
}
