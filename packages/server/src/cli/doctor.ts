import { examine, type Examination, type Finding } from '../configuration/examination.ts'
import { inspectMachine } from '../configuration/machine.ts'
import { countOf } from '../feature/count.ts'
import { inspectMailServer } from '../features/mail/messages/smtp.ts'
import { rules } from '../server/features.ts'
import type { OwnCall } from './call.ts'

/** Applies all safety rules and prints their findings. Changes nothing. */
export async function doctor({
  flags,
  terminal,
  clock,
  situation: readSituation,
}: OwnCall): Promise<void> {
  const situation = await readSituation()
  const { mailUrl } = situation.options
  const mailServer = mailUrl === undefined ? undefined : await inspectMailServer(mailUrl)
  const machine = { ...(await inspectMachine(situation, clock.now())), mailServer }
  const examination = examine({ ...situation, machine }, rules)

  if (flags.has('json')) terminal.printJson(wireExamination(examination))
  else terminal.print(textOf(examination))
  if (examination.stops.length > 0) terminal.fail()
}

/**
 * Returns the result for `--json`. Its members are a public API: docs/reference/doctor.md describes
 * them.
 */
function wireExamination({ stops, warnings, checked }: Examination): object {
  const findings = [...stops, ...warnings].map(
    ({ rule: { id, severity, standard }, about, message, fix }) => ({
      id,
      severity,
      standard,
      message: `${about} ${message}`,
      fix,
    }),
  )
  return { ok: stops.length === 0, findings, checked: checked.map(({ id }) => id) }
}

function textOf({ stops, warnings, checked }: Examination): string {
  const unchecked = rules.filter((rule) => !checked.includes(rule)).map(({ id }) => id)
  return [
    ...[...stops, ...warnings].flatMap(linesOf),
    `${checked.length} rules checked: ${countOf(stops.length, 'prevents', 'prevent')} a start, ` +
      countOf(warnings.length, 'warning'),
    // No database is both SQLite and PostgreSQL, so there are always such rules.
    `rules that could not be checked: ${unchecked.join(', ')}`,
  ].join('\n')
}

function linesOf({ rule, about, message, fix }: Finding): readonly string[] {
  return [
    `${rule.severity}  ${rule.id} (${rule.standard})`,
    `      ${about} ${message}`,
    `      fix: ${fix}`,
    '',
  ]
}
