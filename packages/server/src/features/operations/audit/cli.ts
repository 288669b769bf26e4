import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { printList, type Listing } from '../../../feature/listing.ts'
import { followAudit } from './follow.ts'
import { hasEntriesOf, listAudit } from './store.ts'
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
export async function audit(call: Call<unknown>, defaultLimit: number): Promise<void> {
  const { flags, terminal, clock } = call
  const since = readSince(flags.value('since'), clock.now())
  const last = readLimit(flags.value('limit')) ?? (since === undefined ? defaultLimit : undefined)
  const subject = flags.value('subject')

  const isFollowing = flags.has('follow')
  const ended = isFollowing
    ? AbortSignal.any([terminal.unread, abortAfter(terminal.untilStopped())])
    : terminal.unread
  const pause = (): Promise<boolean> =>
    delay(pollMilliseconds, true, { signal: ended }).catch(() => false)

  await call.withDatabase(async (database) => {
    if (subject !== undefined && !(await hasEntriesOf(database.reader, subject)))
      terminal.printError(
        `keystile: the record has no entry about the subject ${subject}. ` +
          'Fix: give the id of the user, which "keystile user list" shows',
      )
    const filter = { since, subject, last }
    const rows = isFollowing
      ? followAudit(database, filter, { clock, pause })
      : listAudit(database.reader, filter)
    await printList(call, rows, { ...auditList, ended })
  })
}

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

/** Such as `2026-11-25`. */
const date = /^\d{4}-\d\d-\d\d$/
/**
 * Such as `2026-11-25T12:00Z` or `2026-11-25T12:00:00.5+01:00`. The time zone is needed: without
 * it, the meaning would depend on the machine.
 */
const dateAndTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

/** Parses an RFC 3339 time or date. Returns NaN for any other string. */
function readInstant(text: string): number {
  return date.test(text) || dateAndTime.test(text) ? Date.parse(text) : NaN
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new ConfigurationError('--limit must be a whole number of lines, 0 to 999999')
}

const auditList: Listing<AuditRow> = {
  columns: [
    { title: 'AT', width: 24, show: ({ at }) => new Date(at).toISOString() },
    { title: 'EVENT', width: 21, show: ({ event }) => event },
    { title: 'ACTOR', width: 27, show: ({ actor }) => actor },
    { title: 'SUBJECT', width: 22, show: ({ subject }) => subject },
    { title: 'SESSION', width: 22, show: ({ session_id: session }) => session },
    { title: 'CLIENT', width: 12, show: ({ client_id: client }) => client },
    { title: 'ADDRESS', width: 15, show: ({ address }) => address },
    { title: 'DETAIL', width: 0, show: ({ detail }) => detail },
  ],
  wire: wireRow,
  none: 'the record has no such entries',
}

function wireRow({ id, at, detail, ...others }: AuditRow): object {
  return {
    id,
    at: new Date(at).toISOString(),
    ...others,
    detail: detail === null ? null : JSON.parse(detail),
  }
}
