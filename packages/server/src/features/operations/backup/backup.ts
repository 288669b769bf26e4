// The command `keystile backup`. It opens the database only for reading and runs no migration, so
// it also works before an upgrade.

import { existsSync } from 'node:fs'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { createFolderOf, moveIntoPlace, sync } from '../../../storage/disk.ts'
import { isAbsent } from '../../../storage/source.ts'
import {
  changeSqliteFile,
  copySqliteFile,
  findDamage,
  isSqliteFile,
  removeDraft,
} from '../../../storage/sqlite-copy.ts'
import { describeContents, readContents, wireContents, type Contents } from './contents.ts'
import { describeNeededKey } from './needed-key.ts'
import type { Options } from './options.ts'
import { draftOf, requireOtherFile } from './paths.ts'
import { requireSqliteFile } from './sqlite-file.ts'
import { recordBackupTime } from './store.ts'

/** `keystile backup`: copies the database, even while the server runs, and checks the copy. */
export async function backup({
  operand: file,
  flags,
  terminal,
  clock,
  settings,
}: Call<Options>): Promise<void> {
  const { options } = await settings()
  const database = requireSqliteFile(options.database, 'backup')
  const mayReplace = flags.has('overwrite')
  requireExisting(database)
  requireOtherFile(file, database)
  requireFreeName(file, mayReplace)

  const draft = draftOf(file)
  createFolderOf(file)
  try {
    const contents = await makeCopy(database, draft, clock.now())
    if (!moveIntoPlace(draft, file, { mayReplace })) throw fileExists(file)

    if (flags.has('json')) terminal.printJson({ file, ...wireContents(contents) })
    else {
      terminal.print(`${file}: ${describeContents(contents)}`)
      terminal.print(await describeNeededKey(file, { ...options, database }))
    }
  } finally {
    removeDraft(draft)
  }
}

function requireExisting(database: string): void {
  if (isAbsent(database))
    throw new ConfigurationError(
      `the database must exist; there is no ${database}. Fix: correct --database`,
    )
}

function requireFreeName(file: string, mayReplace: boolean): void {
  if (!existsSync(file)) return

  if (!mayReplace) throw fileExists(file)
  if (!isSqliteFile(file))
    throw new ConfigurationError(
      `--overwrite replaces only earlier backups; ${file} is not a SQLite file. ` +
        'Fix: choose another name',
    )
}

function fileExists(file: string): ConfigurationError {
  return new ConfigurationError(
    `${file} must not exist yet. Fix: choose another name, or give --overwrite`,
  )
}

/**
 * Copies a database into the file `draft`. When the promise resolves, the copy is complete and on
 * disk.
 */
async function makeCopy(database: string, draft: string, now: number): Promise<Contents> {
  copySqliteFile(database, draft)
  if ((await readContents(draft)) === undefined)
    throw new ConfigurationError(
      `the database must have the tables of Keystile; ${database} has none. ` +
        'Fix: correct --database',
    )
  await changeSqliteFile(draft, (transaction) => recordBackupTime(transaction, now))
  sync(draft)

  const damage = findDamage(draft)
  const contents = await readContents(draft)
  if (damage !== undefined || !contents)
    throw new ConfigurationError(
      `the copy must be whole; it is damaged: ${damage}. Fix: check the disk, and the database ` +
        'with "keystile restore --check"',
    )
  return contents
}
