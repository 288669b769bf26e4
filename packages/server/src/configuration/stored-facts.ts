// Reads the facts in the database that safety rules check. Each feature reads its own tables.
import type { DatabaseState, Machine } from '../feature/situation.ts'
import {
  countUnreadableApps,
  createFactorSeal,
  hasUnreadableApp,
} from '../features/credentials/second-factors/reseal.ts'
import { countDeadMails } from '../features/mail/outbox/dead-letters.ts'
import { openMailSeal } from '../features/mail/outbox/mail-seal.ts'
import { hasUnreadableMail } from '../features/mail/outbox/unreadable.ts'
import { hasUnreadableProof } from '../features/mail/proofs/unreadable.ts'
import { countDeadEvents } from '../features/operations/app-events/dead-letters.ts'
import { findNewestInstant } from '../features/operations/audit/audit.ts'
import { findStoredIssuer } from '../features/tokens/signing-keys/issuer.ts'
import {
  findNextKeyDue,
  findSealedKey,
  hasOlderKey,
} from '../features/tokens/signing-keys/key-standing.ts'
import { readDatabaseFacts } from '../storage/database-facts.ts'
import type { Database } from '../storage/database.ts'
import { inspectDatabase } from '../storage/inspect.ts'
import { reasonAndFixOf } from '../storage/postgres-advice.ts'
import type { DatabaseSource } from '../storage/source.ts'
import { SqliteFileError } from '../storage/sqlite-errors.ts'

/** The options for keys, as they were given: they may be wrong. */
export interface KeyOptions {
  readonly key?: unknown
  readonly previousKey?: unknown
  readonly signingKey?: unknown
}

/** What the facts in a database depend on. */
export interface InspectionContext {
  readonly now: number
  /** See `secretsToTry()`. */
  readonly secrets: readonly string[] | undefined
}

/**
 * How many authenticator apps a start checks at most, so that it takes no longer with many users.
 * `keystile doctor` checks all.
 */
const checkedAtStart = 1_000

/**
 * Reads the facts in a database. Undefined if there is no database yet.
 *
 * @param open the open database of a start. Without it, opens the source, only for reading
 */
export async function inspectStorage(
  source: DatabaseSource | undefined,
  context: InspectionContext,
  open: Database | undefined,
): Promise<DatabaseState | undefined> {
  if (open) return readStoredFacts(open, context, checkedAtStart)
  if (source === undefined) return undefined

  try {
    return await inspectDatabase(source, (reader) => readStoredFacts({ reader }, context, Infinity))
  } catch (error) {
    const { reason, fix } = error instanceof SqliteFileError ? error : reasonAndFixOf(error)
    return { kind: 'unavailable', reason, fix }
  }
}

async function readStoredFacts(
  database: Pick<Database, 'reader'>,
  { now, secrets }: InspectionContext,
  limit: number,
): Promise<DatabaseState> {
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
export function secretsToTry(
  { key, previousKey, signingKey }: KeyOptions,
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
