import { readFileSync, statSync } from 'node:fs'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Rule } from '../feature/rule.ts'
import type { FileFacts, Machine, Situation } from '../feature/situation.ts'
import { keyFileBeside } from '../features/signing-keys/sealing-secret.ts'
import type { Database } from '../storage/database.ts'
import { inspectDatabase, readDatabaseFacts } from '../storage/facts.ts'
import { findDatabaseFile, inMemory } from '../storage/source.ts'
import { examine, textOf, type RuleOptions } from './examination.ts'
import { cannotStart, type CheckedOptions } from './options.ts'

/**
 * Looks at the files, the database and the clock, and changes none of them.
 *
 * @param database the database where it is open already; else it is opened for reading, if it is there
 */
export async function inspectMachine(
  { options, secretFiles = [] }: Situation<RuleOptions>,
  now: number,
  database?: Database,
): Promise<Machine> {
  const file = findDatabaseFile(options.database)
  const usesKeyFile = options.key === undefined && options.signingKey === undefined
  const keyFile = file !== undefined && usesKeyFile ? readFacts(keyFileBeside(file)) : undefined
  return {
    nodeVersion: process.versions.node,
    now,
    keyFile: keyFile && { ...keyFile, secret: readSecret(keyFile.path) },
    secretFiles: readAllFacts(secretFiles),
    databaseFiles: file === undefined ? [] : readAllFacts([file, `${file}-wal`]),
    database: await findDatabase(options.database, database),
  }
}

/**
 * Applies the rules at a start, when the database is open: throws the stops and logs the warnings.
 *
 * @throws {ConfigurationError} with all stops
 */
export async function heedRules(
  rules: readonly Rule<RuleOptions>[],
  { situation, clock, logger }: CheckedOptions,
  database: Database,
): Promise<void> {
  const machine = await inspectMachine(situation, clock.now(), database)
  const { stops, warnings } = examine({ ...situation, machine }, rules)
  if (stops.length > 0)
    throw new ConfigurationError(cannotStart(stops.map((finding) => `${finding.about} ${textOf(finding)}`)))
  for (const { rule, about, message, mend } of warnings)
    logger.warn({ rule: rule.id, standard: rule.standard, mend }, `${about} ${message}`)
}

async function findDatabase(source: RuleOptions['database'], open: Database | undefined): Promise<Machine['database']> {
  if (open) return readDatabaseFacts(open)
  if (source === undefined || source === inMemory) return undefined
  try {
    return await inspectDatabase(source)
  } catch (error) {
    return { kind: 'unavailable', reason: (error as Error).message }
  }
}

function readAllFacts(paths: readonly string[]): readonly FileFacts[] {
  return paths.flatMap((path) => readFacts(path) ?? [])
}

function readFacts(path: string): FileFacts | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return undefined
  return { path, mode: process.platform === 'win32' ? undefined : stats.mode & 0o777, modifiedAt: stats.mtimeMs }
}

/** Nothing where this user may not read it: then a start fails, and says so. */
function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
