// The command `keystile restore`. It prepares the restored database in a draft, a file in the
// folder of the database. As the last step, the draft gets the name of the database. So there is a
// database at every moment.

import { existsSync } from 'node:fs'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { createFolderOf, moveIntoPlace } from '../../../storage/disk.ts'
import { copySqliteFile, makeSingleFile, removeDraft } from '../../../storage/sqlite-copy.ts'
import { lockSqliteFile } from '../../../storage/sqlite-lock.ts'
import { timeOf } from './contents.ts'
import { printExamination } from './examination-report.ts'
import { examineBackup } from './examination.ts'
import { lostChanges, printFinished, wireFinished } from './finish-report.ts'
import { makeSafe } from './make-safe.ts'
import type { Options } from './options.ts'
import { draftOf, requireOtherFile, withoutLink } from './paths.ts'
import { requireSqliteFile } from './sqlite-file.ts'

/** `keystile restore`: checks a backup, and replaces the database with it. */
export async function restore(call: Call<Options>): Promise<void> {
  const { operand: file, flags, terminal, clock } = call
  const { options } = await call.settings()
  const database = withoutLink(requireSqliteFile(options.database, 'restore'))
  const examined = await examineBackup(file, options, clock.now())
  if (flags.has('check')) return printExamination(call, examined)

  if (examined.faults.length > 0)
    throw new ConfigurationError(
      `${file} cannot be restored:\n${examined.faults.map((fault) => `- ${fault}`).join('\n')}`,
    )
  requireOtherFile(file, database)
  requireUnused(database)
  await replaceDatabase(call, options, database)
  if (!flags.has('json')) terminal.print('Now start the server')
}

/**
 * Called before the restore does any work. Fails if a process has the database open. A server may
 * still start after this check, so `putInPlace()` locks the file again.
 */
function requireUnused(database: string): void {
  if (!existsSync(database)) return
  const locked = lockSqliteFile(database)
  if (!locked) throw inUse(database)
  locked.release()
}

async function replaceDatabase(
  call: Call<Options>,
  options: Options,
  database: string,
): Promise<void> {
  const { operand: file, flags, terminal, clock } = call
  const draft = draftOf(database)
  createFolderOf(database)
  try {
    copySqliteFile(file, draft)
    const done = await makeSafe(call, options, { file: draft })
    makeSingleFile(draft)
    const aside = `${database}.before-${new Date(clock.now()).toISOString().replace(/\W/g, '')}`
    const old = putInPlace(draft, database, aside)

    if (flags.has('json'))
      terminal.printJson({ database, kept: old?.kept ?? null, ...wireFinished(done) })
    else {
      terminal.print(`restored ${database} from ${file}`)
      printFinished(call, done, options)
      if (old) terminal.print(adviceAbout(old, done.backedUpAt))
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
function putInPlace(draft: string, database: string, aside: string): OldDatabase | undefined {
  if (!existsSync(database)) {
    if (!moveIntoPlace(draft, database, { mayReplace: false })) throw inUse(database)
    return undefined
  }

  const locked = lockSqliteFile(database)
  if (!locked) throw inUse(database)
  try {
    locked.replaceWith(draft, aside)
  } finally {
    locked.release()
  }
  return { kept: aside, isDamaged: locked.isDamaged }
}

function inUse(database: string): ConfigurationError {
  return new ConfigurationError(
    `no process may use ${database} during a restore; a server or a command has it open. ` +
      'Fix: stop it',
  )
}

/** Returns the text that tells the operator how to find the changes that were lost. */
function adviceAbout({ kept, isDamaged }: OldDatabase, backedUpAt: number | undefined): string {
  if (isDamaged)
    return (
      `the database from before is ${kept}. It is damaged, so keystile could not find out ` +
      'whether a server has it open. If a server runs, restart it'
    )

  const since = timeOf(backedUpAt)
  if (since === undefined) return `the database from before is ${kept}`
  return (
    `the database from before is ${kept}\n` +
    `Changes after ${since} are lost: ${lostChanges}. To list these changes, run: ` +
    `keystile audit --database ${kept} --since ${since}`
  )
}
