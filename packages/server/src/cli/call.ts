import { systemClock } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Call, CliCommand } from '../feature/cli-command.ts'
import type { Situation } from '../feature/situation.ts'
import { ofUser } from '../server/commands.ts'
import type { RuleOptions } from '../server/features.ts'
import type { CheckedOptions } from '../server/options.ts'
import { outageForOperator } from '../server/outage-log.ts'
import type { Database } from '../storage/database.ts'
import { openDatabase } from '../storage/open.ts'
import { PostgresUnavailableError } from '../storage/postgres-errors.ts'
import { describeSource, isAbsent, type DatabaseSource } from '../storage/source.ts'
import { parseCall } from './parse-call.ts'
import { readSettings, readSettingsWithoutKey, readSituation, type Settings } from './settings.ts'
import type { ProcessTerminal } from './terminal.ts'

/**
 * The argument of the commands in `cli/`. It extends `Call`, the argument of the commands that
 * features define.
 */
export interface OwnCall extends Call<CheckedOptions> {
  readonly terminal: ProcessTerminal
  settings(): Promise<Settings>
  /**
   * Reads all settings and returns what the safety rules check. Does not throw if a setting has a
   * fault: the result lists the faults.
   */
  situation(): Promise<Situation<RuleOptions>>
}

/**
 * Creates the `OwnCall` that the code of a command gets. The settings are read only when the
 * command asks for them.
 *
 * @throws {ConfigurationError} if the command does not accept the arguments
 */
export function createCall(
  command: CliCommand<never>,
  args: readonly string[],
  terminal: ProcessTerminal,
): OwnCall {
  const { operand, values, flags } = parseCall(command, args)
  const { environment } = terminal
  let read: Promise<Settings> | undefined
  const readNow = command.takesSettings === 'withoutKey' ? readSettingsWithoutKey : readSettings
  const settings = (): Promise<Settings> => (read ??= readNow(values, environment))

  return {
    operand,
    flags,
    terminal,
    clock: systemClock,
    ofUser,
    settings,
    situation: () => readSituation(values, environment),
    async withDatabase(work, { file, ...options } = {}) {
      await runWithDatabase(file ?? (await settings()).options.database, work, options)
    },
  }
}

async function runWithDatabase(
  source: DatabaseSource,
  work: (database: Database) => Promise<void>,
  { mayCreate = false } = {},
): Promise<void> {
  if (!mayCreate && isAbsent(source))
    throw new ConfigurationError(
      `the database must exist; there is no ${describeSource(source)}. ` +
        'Fix: start the server once, or correct --database',
    )

  const database = await openDatabase(source, new URL(import.meta.resolve('#writer-thread')))
  try {
    await work(database)
  } catch (error) {
    throw error instanceof PostgresUnavailableError ? outageForOperator(error, source) : error
  } finally {
    await database.close()
  }
}
