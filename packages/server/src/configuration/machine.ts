// Reads the facts that safety rules check: here those about files and the clock, in
// `stored-facts.ts` those in the database.
import { readFileSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isFolderOpen, isForeign, type FileFacts } from '../feature/file-facts.ts'
import type { Machine, Situation } from '../feature/situation.ts'
import { findKeyFile } from '../features/tokens/signing-keys/key-file.ts'
import type { Database } from '../storage/database.ts'
import { findDatabaseFile, type DatabaseSource } from '../storage/source.ts'
import { inspectStorage, secretsToTry, type KeyOptions } from './stored-facts.ts'

export interface InspectedOptions extends KeyOptions {
  readonly database?: DatabaseSource | undefined
}

/**
 * Reads the facts about files, database and clock that safety rules check. Changes nothing.
 *
 * @param database an open database. If it is not given, the function opens the database that the
 *   options name, only for reading, and creates nothing.
 */
export async function inspectMachine(
  { options, secretFiles = [] }: Situation<InspectedOptions>,
  now: number,
  database?: Database,
): Promise<Machine> {
  const file = findDatabaseFile(options.database)
  const keyFile = readKeyFile(findKeyFile(options))
  const context = { now, secrets: secretsToTry(options, keyFile) }

  return {
    nodeVersion: process.versions.node,
    now,
    keyFile: options.signingKey === undefined ? keyFile : undefined,
    secretFiles: readAllFacts(secretFiles),
    databaseFiles: file === undefined ? [] : readAllFacts([file, `${file}-wal`]),
    openFolder: file === undefined ? undefined : findOpenFolder(dirname(file)),
    databaseFileSystem: file === undefined ? undefined : findFileSystem(file),
    database: await inspectStorage(options.database, context, database),
  }
}

/**
 * Returns the type of the file system that contains the path: a number, as `statfs` returns it on
 * Linux. Returns undefined if the path does not exist yet. Also returns undefined on other systems,
 * because their numbers are different.
 */
function findFileSystem(path: string): number | undefined {
  if (process.platform !== 'linux') return undefined
  return readOrNothing(() => statfsSync(path).type)
}

/** Returns a folder if other users may replace the files in it. */
function findOpenFolder(folder: string): string | undefined {
  const stats = readOrNothing(() => statSync(folder))
  return stats && isFolderOpen(stats) ? folder : undefined
}

/** Returns the result of `read()`. Returns undefined if `read()` throws. */
function readOrNothing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function readAllFacts(paths: readonly string[]): readonly FileFacts[] {
  return paths.flatMap((path) => readFacts(path) ?? [])
}

function readFacts(path: string): FileFacts | undefined {
  const stats = readOrNothing(() => statSync(path, { throwIfNoEntry: false }))
  if (!stats) return undefined

  return {
    path,
    mode: process.platform === 'win32' ? undefined : stats.mode & 0o777,
    isForeign: isForeign(stats),
    modifiedAt: stats.mtimeMs,
  }
}

function readKeyFile(path: string | undefined): Machine['keyFile'] {
  const facts = path === undefined ? undefined : readFacts(path)
  return facts && { ...facts, secret: readSecret(facts.path) }
}

/**
 * Returns the content of a key file. Returns undefined if this process may not read the file. The
 * caller need not report this: Keystile reads the key when it starts, and reports the error.
 */
function readSecret(path: string): string | undefined {
  return readOrNothing(() => readFileSync(path, 'utf8').trim())
}
