import type { Clock, Logger } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { Rule } from '../feature/rule.ts'
import type { Situation } from '../feature/situation.ts'
import type { Database } from '../storage/database.ts'
import { examine, textOf } from './examination.ts'
import { inspectMachine, type InspectedOptions } from './machine.ts'
import { cannotStart } from './options.ts'

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
