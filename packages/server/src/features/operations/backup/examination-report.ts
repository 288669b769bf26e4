// What `keystile restore --check` prints about a backup.

import type { Call } from '../../../feature/cli-command.ts'
import { countOf } from '../../../feature/count.ts'
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
  const { faults, contents, missingMigrations, keys } = examined
  const age = ageSecondsOf(contents, now)
  return {
    ok: faults.length === 0,
    file,
    faults,
    ...(contents && { ...wireContents(contents), age_seconds: age ?? null }),
    ...(missingMigrations !== undefined && { missing_migrations: missingMigrations }),
    ...(keys && {
      keys: keys.map(({ id, state, signsUntil }) => ({
        key_id: id,
        state,
        signs_until: timeOf(signsUntil) ?? null,
      })),
    }),
  }
}

function linesOf(file: string, examined: Examined, now: number): readonly string[] {
  const { faults, contents, missingMigrations = 0, keys = [] } = examined
  const age = ageSecondsOf(contents, now)
  const old = age === undefined ? '' : `, ${describeAge(age)} old`
  return [
    ...(contents ? [`${file}: ${describeContents(contents)}${old}`] : []),
    ...keys.map(({ id, state, signsUntil }) =>
      signsUntil === undefined
        ? `signing key ${id}: ${state}`
        : `signing key ${id}: ${state}, signs until ${timeOf(signsUntil)}`,
    ),
    ...(missingMigrations > 0
      ? [
          'the backup is from an older version; a restore runs ' +
            countOf(missingMigrations, 'migration'),
        ]
      : []),
    ...faults.map((fault) => `fault: ${fault}`),
    faults.length > 0 ? `${file} cannot be restored` : `${file} is whole and can be restored`,
  ]
}

function ageSecondsOf(contents: Contents | undefined, now: number): number | undefined {
  return contents?.backedUpAt === undefined
    ? undefined
    : Math.max(0, Math.floor((now - contents.backedUpAt) / 1000))
}

/** Describes an age in one unit, rounded down: 59 min, 47 h, 2 d. */
function describeAge(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`

  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h`

  return `${Math.floor(hours / 24)} d`
}
