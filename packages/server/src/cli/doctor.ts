import { systemClock } from 'keystile/internal'
import { examine, type Examination, type Finding } from '../configuration/examination.ts'
import { inspectMachine } from '../configuration/machine.ts'
import { rules } from '../server/rules.ts'
import type { Call, Command } from './command.ts'

export const doctorCommand: Command = {
  words: ['doctor'],
  flags: { json: {} },
  takesSettings: true,
  summary:
    'what is unsafe about settings, files, database and clock, and what mends it; 1 when a start would be refused',
  run: doctor,
}

/** Says what all rules find, and changes nothing. */
async function doctor({ flags, terminal, situation: readSituation }: Call): Promise<void> {
  const situation = await readSituation()
  const machine = await inspectMachine(situation, systemClock.now())
  const examination = examine({ ...situation, machine }, rules)
  if (flags.has('json')) terminal.printJson(wireExamination(examination))
  else terminal.print(textOf(examination))
  if (examination.stops.length > 0) terminal.fail()
}

function wireExamination({ stops, warnings, checked }: Examination): object {
  const findings = [...stops, ...warnings].map(({ rule: { id, severity, standard }, about, message, mend }) => ({
    id,
    severity,
    standard,
    message: `${about} ${message}`,
    mend,
  }))
  return { ok: stops.length === 0, findings, checked: checked.map(({ id }) => id) }
}

function textOf({ stops, warnings, checked }: Examination): string {
  const unchecked = rules.filter((rule) => !checked.includes(rule)).map(({ id }) => id)
  return [
    ...[...stops, ...warnings].flatMap(linesOf),
    `${checked.length} rules checked: ${stops.length} that stop a start, ${warnings.length} to be warned of`,
    ...(unchecked.length > 0 ? [`not to be checked here: ${unchecked.join(', ')}`] : []),
  ].join('\n')
}

function linesOf({ rule, about, message, mend }: Finding): readonly string[] {
  return [`${rule.severity}  ${rule.id} (${rule.standard})`, `      ${about} ${message}`, `      fix: ${mend}`, '']
}
