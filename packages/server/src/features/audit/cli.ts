import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError } from '../../base/configuration-error.ts'
import type { Call } from '../../feature/cli-command.ts'
import { followAudit } from './follow.ts'
import { listAudit } from './store.ts'
import type { AuditRow } from './tables.ts'

/**
 * How long `--follow` waits between two reads. A longer time would delay new entries, and a shorter
 * time would cost more reads.
 */
const pollMilliseconds = 500

/**
 * `keystile audit`: prints the audit record, oldest entry first. With `--follow`, it also prints
 * new entries, until it gets a signal or the reader of its output closes the pipe.
 *
 * @param defaultLimit the number of lines to print if the command has no `--limit` and no `--since`
 */
export async function audit(
  { flags, terminal, clock, withDatabase }: Call<unknown>,
  defaultLimit: number,
): Promise<void> {
  const since = readSince(flags.value('since'), clock.now())
  const last = readLimit(flags.value('limit')) ?? (since === undefined ? defaultLimit : undefined)
  const isFollowing = flags.has('follow')
  const ended = isFollowing
    ? AbortSignal.any([terminal.unread, abortAfter(terminal.untilStopped())])
    : terminal.unread
  const pause = (): Promise<boolean> =>
    delay(pollMilliseconds, true, { signal: ended }).catch(() => false)

  await withDatabase(async (database) => {
    const filter = { since, subject: flags.value('subject'), last }
    const rows = isFollowing
      ? followAudit(database, filter, { clock, pause })
      : listAudit(database.reader, filter)
    for await (const row of rows) {
      if (ended.aborted) break
      if (flags.has('json')) terminal.printJson(wireRow(row))
      else terminal.printRow(columnsOf(row))
    }
  })
}

/** Creates a signal that is aborted when the promise resolves. */
function abortAfter(end: Promise<unknown>): AbortSignal {
  const controller = new AbortController()
  void end.then(() => controller.abort())
  return controller.signal
}

const unitMilliseconds = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Reads a time, or an age such as `90m`, and returns the time in milliseconds. */
function readSince(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const age = /^(\d{1,6})([smhd])$/.exec(text)
  const at = age
    ? now - Number(age[1]) * unitMilliseconds[age[2] as keyof typeof unitMilliseconds]
    : readInstant(text)
  if (at >= 0) return at

  throw new ConfigurationError(
    '--since must be a time such as 2026-11-25T12:00:00Z or 2026-11-25, ' +
      'or an age such as 90m, 12h or 7d',
  )
}

/**
 * Parses an RFC 3339 time; returns NaN for any other string. The seconds may be missing, and the
 * whole time of day may be missing. A time of day must have a time zone, because without a time
 * zone its meaning would depend on the machine.
 */
function readInstant(text: string): number {
  return /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : NaN
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new ConfigurationError('--limit must be a whole number of lines, 0 to 999999')
}

function columnsOf(row: AuditRow): readonly string[] {
  const { at, event, actor, subject, session_id, client_id, address, detail } = row
  const shown = [
    new Date(at).toISOString(),
    event,
    actor,
    subject,
    session_id,
    client_id,
    address,
    detail,
  ]
  return shown.map((value) => value ?? '-')
}

function wireRow({ at, detail, ...row }: AuditRow): object {
  const { id, ...rest } = row
  return {
    id,
    at: new Date(at).toISOString(),
    ...rest,
    detail: detail === null ? null : JSON.parse(detail),
  }
}
