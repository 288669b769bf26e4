import { readFileSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isFolderOpen, isForeign, type FileFacts } from '../feature/file-facts.ts'
import type { Machine, Situation } from '../feature/situation.ts'
import { findNewestInstant } from '../features/operations/audit/audit.ts'
import { countDeadEvents } from '../features/operations/app-events/dead-letters.ts'
import { openMailSeal } from '../features/mail/outbox/mail-seal.ts'
import { hasUnreadableProof } from '../features/mail/proofs/unreadable.ts'
import { countDeadMails } from '../features/mail/outbox/dead-letters.ts'
import {
  countUnreadableApps,
  createFactorSeal,
  hasUnreadableApp,
} from '../features/credentials/second-factors/reseal.ts'
import { hasUnreadableMail } from '../features/mail/outbox/unreadable.ts'
import { findKeyFile } from '../features/tokens/signing-keys/key-file.ts'
import {
  findNextKeyDue,
  findSealedKey,
  hasOlderKey,
} from '../features/tokens/signing-keys/key-standing.ts'
import { findStoredIssuer } from '../features/tokens/signing-keys/signing-keys.ts'
import type { Database } from '../storage/database.ts'
import { readDatabaseFacts } from '../storage/facts.ts'
import { inspectDatabase } from '../storage/inspect.ts'
import { reasonAndFixOf } from '../storage/postgres-advice.ts'
import { SqliteFileError } from '../storage/sqlite-errors.ts'
import { findDatabaseFile, type DatabaseSource } from '../storage/source.ts'

export interface InspectedOptions {
  readonly database?: DatabaseSource | undefined
  readonly key?: unknown
  readonly previousKey?: unknown
  readonly signingKey?: unknown
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
  const question = { now, secrets: secretsToTry(options, keyFile) }

  return {
    nodeVersion: process.versions.node,
    now,
    keyFile: options.signingKey === undefined ? keyFile : undefined,
    secretFiles: readAllFacts(secretFiles),
    databaseFiles: file === undefined ? [] : readAllFacts([file, `${file}-wal`]),
    openFolder: file === undefined ? undefined : findOpenFolder(dirname(file)),
    databaseFileSystem: file === undefined ? undefined : findFileSystem(file),
    database: await readDatabase(options.database, question, database),
  }
}

/** The values that the inspection of a database needs. */
interface Question {
  readonly now: number
  /** See `secretsToTry()`. */
  readonly secrets: readonly string[] | undefined
}

/**
 * How many authenticator apps a start checks at most, so that it takes no longer with many users.
 * `keystile doctor` checks all.
 */
const checkedAtStart = 1_000

async function readDatabase(
  source: DatabaseSource | undefined,
  question: Question,
  open: Database | undefined,
): Promise<Machine['database']> {
  if (open) return readStoredFacts(open, question, checkedAtStart)
  if (source === undefined) return undefined

  try {
    return await inspectDatabase(source, (reader) =>
      readStoredFacts({ reader }, question, Infinity),
    )
  } catch (error) {
    const { reason, fix } = error instanceof SqliteFileError ? error : reasonAndFixOf(error)
    return { kind: 'unavailable', reason, fix }
  }
}

async function readStoredFacts(
  database: Pick<Database, 'reader'>,
  { now, secrets }: Question,
  limit: number,
): Promise<Machine['database']> {
  const [current, previous] = secrets ?? []
  return {
    ...(await readDatabaseFacts(database.reader)),
    issuer: await findStoredIssuer(database),
    sealedKey: await findSealedKey(database),
    nextKeyDueAt: await findNextKeyDue(database, now),
    needsPreviousKey:
      current !== undefined && previous !== undefined
        ? await hasOlderValue(database, current)
        : undefined,
    apps: secrets && (await countUnreadableApps(database.reader, { secrets, limit })),
    latest: await findNewestInstant(database),
    deadMails: await countDeadMails(database),
    deadEvents: await countDeadEvents(database, now),
  }
}

/**
 * Returns the secrets that would decrypt what is in the database, the current one first: those of
 * `openLastingSecrets()`, but without a check and without a new file. Empty if there is only
 * `signingKey`. Undefined if the current secret is not known.
 */
function secretsToTry(
  { key, previousKey, signingKey }: InspectedOptions,
  keyFile: Machine['keyFile'],
): readonly string[] | undefined {
  const current = key ?? keyFile?.secret
  if (typeof current === 'string')
    return typeof previousKey === 'string' ? [current, previousKey] : [current]

  const hasOnlySigningKey = signingKey !== undefined && key === undefined && !keyFile
  return hasOnlySigningKey ? [] : undefined
}

/** Whether the database has a value that cannot be decrypted with this secret. */
async function hasOlderValue(
  { reader }: Pick<Database, 'reader'>,
  secret: string,
): Promise<boolean> {
  const mailSeal = openMailSeal(() => [secret])()
  return (
    (await hasOlderKey(reader, secret)) ||
    (await hasUnreadableApp(reader, createFactorSeal([secret]))) ||
    (await hasUnreadableMail(reader, mailSeal)) ||
    (await hasUnreadableProof(reader, mailSeal))
  )
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
