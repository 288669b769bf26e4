import { readFileSync, statfsSync, statSync } from 'node:fs'
import type { Clock, Logger } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Rule } from '../feature/rule.ts'
import { isForeign, type FileFacts, type Machine, type Situation } from '../feature/situation.ts'
import { findNewestInstant } from '../features/operations/audit/audit.ts'
import { countDeadEvents } from '../features/operations/app-events/undelivered.ts'
import { openMailSeal } from '../features/mail/messages/notices.ts'
import { hasUnreadableProof } from '../features/mail/proofs/unreadable.ts'
import { countDeadMails } from '../features/mail/outbox/dead-letters.ts'
import {
  countUnreadableApps,
  createFactorSeal,
  hasUnreadableApp,
} from '../features/credentials/second-factors/reseal.ts'
import { hasUnreadableMail } from '../features/mail/outbox/unreadable.ts'
import { keyFileBeside } from '../features/tokens/signing-keys/sealing-secret.ts'
import {
  findNextKeyDue,
  findSealedKey,
  findStoredIssuer,
  hasOlderKey,
} from '../features/tokens/signing-keys/signing-keys.ts'
import type { Database } from '../storage/database.ts'
import { readDatabaseFacts } from '../storage/facts.ts'
import { inspectDatabase } from '../storage/inspect.ts'
import { reasonAndFixOf } from '../storage/postgres-errors.ts'
import { SqliteFileError } from '../storage/sqlite-errors.ts'
import { findDatabaseFile, type DatabaseSource } from '../storage/source.ts'
import { examine, textOf } from './examination.ts'
import { cannotStart } from './options.ts'

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
  const beside =
    file !== undefined && options.key === undefined ? readKeyFile(keyFileBeside(file)) : undefined
  const keyFile = options.signingKey === undefined ? beside : undefined
  const question = {
    now,
    // Only the rule about `previousKey` asks what the current secret decrypts.
    secret: options.previousKey === undefined ? undefined : (options.key ?? keyFile?.secret),
    appSecrets: findAppSecrets(options, beside),
  }

  return {
    nodeVersion: process.versions.node,
    now,
    keyFile,
    secretFiles: readAllFacts(secretFiles),
    databaseFiles: file === undefined ? [] : readAllFacts([file, `${file}-wal`]),
    databaseFileSystem: file === undefined ? undefined : findFileSystem(file),
    database: await findDatabase(options.database, question, database),
  }
}

/**
 * Applies the safety rules during a start, when the database is open. Logs the warnings.
 *
 * @throws {ConfigurationError} with all violations that stop a start
 */
export async function enforceRules<Options extends InspectedOptions>(
  rules: readonly Rule<Options>[],
  options: {
    readonly situation: Situation<Options>
    readonly clock: Clock
    readonly logger: Logger
  },
  database: Database,
): Promise<void> {
  const { situation, clock, logger } = options
  const machine = await inspectMachine(situation, clock.now(), database)
  const { stops, warnings } = examine({ ...situation, machine }, rules)
  if (stops.length > 0)
    throw new ConfigurationError(
      cannotStart(stops.map((finding) => `${finding.about} ${textOf(finding)}`)),
    )

  for (const { rule, about, message, fix } of warnings)
    logger.warn({ rule: rule.id, standard: rule.standard, fix }, `${about} ${message}`)
}

/** The values that the inspection of a database needs. */
interface Question {
  readonly now: number
  /**
   * The current secret. The inspection looks for values that this secret cannot decrypt. If the
   * secret is undefined, the inspection skips this step.
   */
  readonly secret: unknown
  /** The secrets that decrypt authenticator apps. Undefined if they are not known. */
  readonly appSecrets: readonly string[] | undefined
}

/**
 * How many authenticator apps a start checks at most, so that it takes no longer with many users.
 * `keystile doctor` checks all.
 */
const checkedAtStart = 1_000

async function findDatabase(
  source: DatabaseSource | undefined,
  question: Question,
  open: Database | undefined,
): Promise<Machine['database']> {
  if (open) return readAllOf(open, question, checkedAtStart)
  if (source === undefined) return undefined

  try {
    return await inspectDatabase(source, (reader) => readAllOf({ reader }, question, Infinity))
  } catch (error) {
    const { reason, fix } = error instanceof SqliteFileError ? error : reasonAndFixOf(error)
    return { kind: 'unavailable', reason, fix }
  }
}

async function readAllOf(
  database: Pick<Database, 'reader'>,
  { now, secret, appSecrets: secrets }: Question,
  limit: number,
): Promise<Machine['database']> {
  return {
    ...(await readDatabaseFacts(database.reader)),
    issuer: await findStoredIssuer(database),
    sealedKey: await findSealedKey(database),
    nextKeyDueAt: await findNextKeyDue(database, now),
    needsPreviousKey:
      typeof secret === 'string' ? await hasOlderValue(database, secret) : undefined,
    apps: secrets && (await countUnreadableApps(database.reader, { secrets, limit })),
    latest: await findNewestInstant(database),
    deadMails: await countDeadMails(database),
    deadEvents: await countDeadEvents(database, now),
  }
}

/**
 * Returns the secrets that would decrypt authenticator apps (`findLastingSecrets`). Returns
 * undefined if the current one is not known.
 *
 * @param beside the key file beside the SQLite file
 */
function findAppSecrets(
  { key, previousKey, signingKey }: InspectedOptions,
  beside: Machine['keyFile'],
): readonly string[] | undefined {
  const current = key ?? beside?.secret
  const hasNone = signingKey !== undefined && key === undefined && !beside
  if (typeof current !== 'string') return hasNone ? [] : undefined
  return typeof previousKey === 'string' ? [current, previousKey] : [current]
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
  return readOrNothing(() => statfsSync(path).type) // the file may not exist yet
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

function readKeyFile(path: string): Machine['keyFile'] {
  const facts = readFacts(path)
  return facts && { ...facts, secret: readSecret(path) }
}

/**
 * Returns the content of a key file. Returns undefined if this process may not read the file. The
 * caller need not report this: Keystile reads the key when it starts, and reports the error.
 */
function readSecret(path: string): string | undefined {
  return readOrNothing(() => readFileSync(path, 'utf8').trim())
}
