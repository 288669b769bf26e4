// What `keystile restore --check` prints about a backup.

import type { Call } from '../../../feature/cli-command.ts'
import { countOf } from '../../../feature/count.ts'
import type { KeyStanding } from '../../tokens/signing-keys/key-standing.ts'
import { describeContents, timeOf, wireContents, type Contents } from './contents.ts'
import type { Examined } from './examination.ts'

/** Prints what was found. If the backup cannot be restored, the process ends with exit code 1. */
export function printExamination(
  { operand: file, flags, terminal, clock }: Call<unknown>,
  examined: Examined,
): void {
  if (flags.has('json')) terminal.printJson(wireExamined(file, examined, clock.now()))
  else for (const line of linesOf(file, examined, clock.now())) terminal.print(line)
  if (examined.faults.length > 0) terminal.fail()
}

function wireExamined(file: string, examined: Examined, now: number): object {
  const { faults } = examined
  const verdict = { ok: faults.length === 0, file, faults }
  if (examined.reached === 'file') return verdict

  const { contents } = examined
  const age = { age_seconds: ageSecondsOf(contents, now) ?? null }
  const backup = { ...verdict, ...wireContents(contents), ...age }
  if (examined.reached === 'tables') return backup

  const { missingMigrations, keys } = examined
  return { ...backup, missing_migrations: missingMigrations, keys: keys.map(wireKey) }
}

function wireKey({ id, state, signsUntil }: KeyStanding): object {
  return { key_id: id, state, signs_until: timeOf(signsUntil) ?? null }
}

function linesOf(file: string, examined: Examined, now: number): readonly string[] {
  const { faults } = examined
  return [
    ...describeFound(file, examined, now),
    ...faults.map((fault) => `fault: ${fault}`),
    faults.length > 0 ? `${file} cannot be restored` : `${file} is whole and can be restored`,
  ]
}

function describeFound(file: string, examined: Examined, now: number): readonly string[] {
  if (examined.reached === 'file') return []

  const { contents } = examined
  const age = ageSecondsOf(contents, now)
  const old = age === undefined ? '' : `, ${describeAge(age)} old`
  const backup = `${file}: ${describeContents(contents)}${old}`
  if (examined.reached === 'tables') return [backup]

  const { missingMigrations, keys } = examined
  const found = [backup, ...keys.map(describeKey)]
  if (missingMigrations > 0)
    found.push(
      'the backup is from an older version; a restore runs ' +
        countOf(missingMigrations, 'migration'),
    )
  return found
}

function describeKey({ id, state, signsUntil }: KeyStanding): string {
  const until = signsUntil === undefined ? '' : `, signs until ${timeOf(signsUntil)}`
  return `signing key ${id}: ${state}${until}`
}

function ageSecondsOf({ backedUpAt }: Contents, now: number): number | undefined {
  return backedUpAt === undefined ? undefined : Math.max(0, Math.floor((now - backedUpAt) / 1000))
}

/** Describes an age in one unit, rounded down: 59 min, 47 h, 2 d. */
function describeAge(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`

  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h`

  return `${Math.floor(hours / 24)} d`
}
