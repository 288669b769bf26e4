import { ConfigurationError } from '../base/configuration-error.ts'
import { schemaNumber } from '../storage/migrations.ts'
import { inspectSource, printSource, runMigrations } from '../storage/open.ts'
import { findRaisedMark } from '../storage/schema-mark.ts'
import { describeSource, type DatabaseSource } from '../storage/source.ts'
import { findSchemaFault, standingOf } from '../storage/standing.ts'
import type { OwnCall } from './call.ts'

/**
 * Runs the missing migrations. With `--check`, only says which are missing. With `--print`, only
 * prints their SQL. An operator can run this command with the database role that owns the tables,
 * and then start the servers with a different role.
 */
export async function migrate({ flags, settings, terminal }: OwnCall): Promise<void> {
  if (flags.has('check') && flags.has('print'))
    throw new ConfigurationError('--check and --print must not be given together')

  const { options } = await settings()
  const { database } = options
  if (flags.has('print')) return terminal.print(await printSource(database))

  if (!flags.has('check')) {
    const report = (sentence: string): void => terminal.printError(`keystile: ${sentence}`)
    for (const name of await runMigrations(database, { report })) terminal.print(`ran ${name}`)
  }

  const { isUsable, text } = await describeTables(database)
  terminal.print(text)
  if (!isUsable) terminal.fail()
}

/** The tables in one sentence, and whether this release can use them without a migration. */
interface TablesReport {
  readonly isUsable: boolean
  readonly text: string
}

async function describeTables(database: DatabaseSource): Promise<TablesReport> {
  const facts = await inspectSource(database)
  const at = describeSource(database)
  const missing = facts.missing.join(', ')
  const standing = standingOf(facts)

  const fault = findSchemaFault(facts)
  if (fault) {
    const outage = standing === 'behind' ? outageText(facts.missing) : ''
    return { isUsable: false, text: `${at} ${fault.message}. Fix: ${fault.fix}${outage}` }
  }
  if (standing === 'empty')
    return { isUsable: false, text: `there are no tables: ${at} (lacks ${missing})` }

  const own = `schema ${schemaNumber()}`
  const text =
    standing === 'ahead'
      ? `the tables are newer than this release, which can still use them: ${at} ` +
        `(has ${facts.unknown.join(', ')}; this release has ${own})`
      : `the tables are up to date: ${at} (${own})`
  return { isUsable: true, text }
}

/** Returns a second line if the missing migrations would stop the servers that run now. */
function outageText(missing: readonly string[]): string {
  const raised = findRaisedMark(missing)
  if (raised === undefined) return ''
  return (
    `\nthis contracts the tables: servers without the migration ${raised} then answer 503, ` +
    'so the service is away until the new release runs'
  )
}
