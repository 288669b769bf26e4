// The commands `keystile backup`, `restore` and `finish-restore`
// (decisions/0033-backups-and-restores.md).
//
// - A backup copies the SQLite file into a draft beside the backup (storage/sqlite-copy.ts). It
//   opens the database only for reading and runs no migration, so it also works before an upgrade.
//   `recordBackupTime` (`store.ts`) writes the time into the draft. `findDamage` reads the whole
//   draft, and `moveIntoPlace` gives it its name.
// - A restore first examines the backup (`examination.ts`): its structure, migrations and issuer,
//   and whether the configured key decrypts its signing keys and authenticator apps. With
//   `--check`, this is all.
// - It copies the backup into a draft beside the database, and opens the draft like a database,
//   which runs the missing migrations (`finishing.ts`). The command `finishRestore` (`store.ts`)
//   makes it safe to use, with `restored` of each feature that stores data of users.
// - `lockSqliteFile` makes sure that no process has the old database open. Then the old file gets a
//   second name, and the draft replaces it under the first one. So there is a database at every
//   moment.
// - `finish-restore` makes a database safe that another program has restored, such as PostgreSQL.

import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs'
import { randomId } from 'keystile/internal'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { createFolderOf, moveIntoPlace, sync } from '../../../storage/disk.ts'
import {
  changeSqliteFile,
  copySqliteFile,
  findDamage,
  isSqliteFile,
  makeSingleFile,
  removeDraft,
} from '../../../storage/sqlite-copy.ts'
import { lockSqliteFile } from '../../../storage/sqlite-lock.ts'
import { isAbsent } from '../../../storage/source.ts'
import { describeContents, readContents, timeOf, wireContents, type Contents } from './contents.ts'
import { printExamination } from './examination-report.ts'
import { examineBackup, type Examined } from './examination.ts'
import { finish, printFinished, wireFinished, type FinishOptions } from './finishing.ts'
import { describeNeededKey } from './needed-key.ts'
import { requireSqliteFile } from './sqlite-file.ts'
import { recordBackupTime } from './store.ts'

export interface Options extends FinishOptions {
  readonly issuer: string
}

/** `keystile backup`: copies the database, even while the server runs, and checks the copy. */
export async function backup({
  operand: file,
  flags,
  terminal,
  clock,
  settings,
}: Call<Options>): Promise<void> {
  const { options } = await settings()
  const source = requireSqliteFile(options.database, 'backup')
  if (isAbsent(source))
    throw new ConfigurationError(
      `the database must exist; there is no ${source}. Fix: correct --database`,
    )
  const mayReplace = flags.has('overwrite')
  if (isSameFile(file, source))
    throw new ConfigurationError('the backup must be another file than the database')
  if (!mayReplace && existsSync(file)) throw fileExists(file)
  if (existsSync(file) && !isSqliteFile(file))
    throw new ConfigurationError(
      `--overwrite replaces only earlier backups; ${file} is not a SQLite file. ` +
        'Fix: choose another name',
    )

  const draft = draftOf(file)
  createFolderOf(file)
  try {
    const contents = await makeCopy(source, draft, clock.now())
    if (!moveIntoPlace(draft, file, { mayReplace })) throw fileExists(file)

    if (flags.has('json')) terminal.printJson({ file, ...wireContents(contents) })
    else {
      terminal.print(`${file}: ${describeContents(contents)}`)
      terminal.print(await describeNeededKey(file, { ...options, database: source }))
    }
  } finally {
    removeDraft(draft)
  }
}

/**
 * Copies a database into the file `draft`. When the promise resolves, the copy is complete and on
 * disk.
 */
async function makeCopy(source: string, draft: string, now: number): Promise<Contents> {
  copySqliteFile(source, draft)
  if ((await readContents(draft)) === undefined)
    throw new ConfigurationError(
      `the database must have the tables of Keystile; ${source} has none. Fix: correct --database`,
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

/** `keystile restore`: checks a backup, and replaces the database with it. */
export async function restore(call: Call<Options>): Promise<void> {
  const { operand: file, flags, terminal, clock } = call
  const { options } = await call.settings()
  const target = withoutLink(requireSqliteFile(options.database, 'restore'))
  const examined = await examineBackup(file, options, clock.now())
  if (flags.has('check')) return printExamination(call, examined)

  if (examined.faults.length > 0)
    throw new ConfigurationError(
      `${file} cannot be restored:\n${examined.faults.map((fault) => `- ${fault}`).join('\n')}`,
    )
  if (isSameFile(file, target))
    throw new ConfigurationError('the backup must be another file than the database')
  await replaceDatabase(call, { options, target, examined })
  if (!flags.has('json')) terminal.print('Now start the server')
}

/**
 * Prepares the restored database in a draft, a file in the folder of the database. As the last
 * step, renames the draft to the name of the database.
 */
async function replaceDatabase(
  call: Call<Options>,
  {
    options,
    target,
    examined,
  }: { readonly options: Options; readonly target: string; readonly examined: Examined },
): Promise<void> {
  const { operand: file, flags, terminal, clock } = call
  requireUnused(target)
  const draft = draftOf(target)
  createFolderOf(target)
  try {
    copySqliteFile(file, draft)
    const done = await finish(call, options, { file: draft })
    makeSingleFile(draft)
    const aside = `${target}.before-${new Date(clock.now()).toISOString().replace(/\W/g, '')}`
    const old = putInPlace(draft, target, aside)

    if (flags.has('json'))
      terminal.printJson({ database: target, kept: old?.kept ?? null, ...wireFinished(done) })
    else {
      terminal.print(`restored ${target} from ${file}`)
      printFinished(call, done, options)
      if (old) terminal.print(adviceAbout(old, examined))
    }
  } finally {
    removeDraft(draft)
  }
}

interface OldDatabase {
  /** Its new name. */
  readonly kept: string
  readonly isDamaged: boolean
}

/**
 * Gives the draft the name of the database. Keeps the old database under the name `aside`.
 *
 * @returns the old database; undefined if there was no database
 */
function putInPlace(draft: string, target: string, aside: string): OldDatabase | undefined {
  if (!existsSync(target)) {
    if (!moveIntoPlace(draft, target, { mayReplace: false })) throw inUse(target)
    return undefined
  }

  const locked = lockSqliteFile(target)
  if (!locked) throw inUse(target)
  try {
    locked.replaceWith(draft, aside)
  } finally {
    locked.release()
  }
  return { kept: aside, isDamaged: locked.isDamaged }
}

/**
 * Called before the restore does any work. Fails if a process has the database open. A server may
 * still start after this check, so `putInPlace()` locks the file again.
 */
function requireUnused(target: string): void {
  if (!existsSync(target)) return
  const locked = lockSqliteFile(target)
  if (!locked) throw inUse(target)
  locked.release()
}

function inUse(target: string): ConfigurationError {
  return new ConfigurationError(
    `no process may use ${target} during a restore; a server or a command has it open. ` +
      'Fix: stop it',
  )
}

const lostChanges =
  'disabled users are enabled again, old passwords, secrets of clients and replaced ' +
  'authenticator apps work again, and users who have set up a second factor log in without it'

/** Returns the text that tells the operator how to find the changes that were lost. */
function adviceAbout({ kept, isDamaged }: OldDatabase, { contents }: Examined): string {
  const since = timeOf(contents?.backedUpAt)
  if (isDamaged)
    return (
      `the database from before is ${kept}. It is damaged, so keystile could not find out ` +
      'whether a server has it open. If a server runs, restart it'
    )
  return [
    `the database from before is ${kept}`,
    ...(since === undefined
      ? []
      : [
          `Changes after ${since} are lost: ${lostChanges}. To list these changes, run: ` +
            `keystile audit --database ${kept} --since ${since}`,
        ]),
  ].join('\n')
}

/**
 * `keystile finish-restore`: runs the last steps of a restore, after another program has restored
 * the database.
 */
export async function finishRestored(call: Call<Options>): Promise<void> {
  const { flags, terminal } = call
  const { options } = await call.settings()
  const done = await finish(call, options)
  if (flags.has('json')) return terminal.printJson(wireFinished(done))

  printFinished(call, done, options)
  terminal.print(`Now start the servers, and repeat the changes that were lost: ${lostChanges}`)
}

/** Returns the path of a draft: an unfinished version of this file, in the same folder. */
function draftOf(file: string): string {
  return `${file}.${randomId()}.part`
}

function fileExists(file: string): ConfigurationError {
  return new ConfigurationError(
    `${file} must not exist yet. Fix: choose another name, or give --overwrite`,
  )
}

/** Follows a symbolic link, so that a command replaces the file and keeps the link. */
function withoutLink(file: string): string {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return file
  if (!existsSync(file))
    throw new ConfigurationError(
      `the file behind the symbolic link ${file} must exist. ` +
        'Fix: give the path of this file instead, with --database',
    )
  return realpathSync(file)
}

function isSameFile(a: string, b: string): boolean {
  return existsSync(a) && existsSync(b) && identityOf(a) === identityOf(b)
}

/** Two paths with the same identity are names of one file. */
function identityOf(path: string): string {
  const { dev, ino } = statSync(path)
  return `${dev}:${ino}`
}
