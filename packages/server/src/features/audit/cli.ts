import { ConfigurationError } from '../../base/configuration-error.ts'
import type { Call } from '../../feature/cli-command.ts'
import { followAudit } from './follow.ts'
import { listAudit } from './store.ts'
import type { AuditRow } from './tables.ts'

const pollMilliseconds = 500

/**
 * Prints the record, the oldest line first; with `--follow` until a signal, or until nobody reads
 * it.
 *
 * @param defaultLimit the number of lines where neither a number nor a time is given
 */
export async function audit(
  { flags, terminal, clock, withDatabase }: Call<unknown>,
  defaultLimit: number,
): Promise<void> {
  const since = readSince(flags.value('since'), clock.now())
  const last = readLimit(flags.value('limit')) ?? (since === undefined ? defaultLimit : undefined)
  const isFollowing = flags.has('follow')
  const reading = untilDone([
    terminal.untilUnread(),
    ...(isFollowing ? [terminal.untilStopped()] : []),
  ])

  await withDatabase(async (database) => {
    const filter = { since, subject: flags.value('subject'), last }
    const rows = isFollowing
      ? followAudit(database, filter, { clock, pause: reading.pause })
      : listAudit(database.reader, filter)
    for await (const row of rows) {
      if (reading.isDone()) break
      if (flags.has('json')) terminal.printJson(wireRow(row))
      else terminal.printRow(columnsOf(row))
    }
  })
}

/** What goes on until one of these happens. */
function untilDone(ends: readonly Promise<unknown>[]): {
  isDone(): boolean
  pause(): Promise<boolean>
} {
  let isDone = false
  // One for all pauses: what waits for a promise is kept as long as the promise is.
  let wake = (): void => {}
  const finish = (): void => {
    isDone = true
    wake()
  }
  for (const end of ends) void end.then(finish)
  return {
    isDone: () => isDone,
    pause: () =>
      new Promise((resolve) => {
        if (isDone) return resolve(false)
        const timer = setTimeout(() => resolve(true), pollMilliseconds)
        wake = () => {
          clearTimeout(timer)
          resolve(false)
        }
      }),
  }
}

const unitMilliseconds = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** An instant, or how long ago it was. */
function readSince(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const at =
    unit === undefined
      ? readInstant(text)
      : now - Number(amount) * unitMilliseconds[unit as keyof typeof unitMilliseconds]
  if (at >= 0) return at
  throw new ConfigurationError(
    '--since is an instant such as 2026-11-25T12:00:00Z or 2026-11-25, or an age such as 90m, 12h or 7d',
  )
}

/**
 * RFC 3339 without what may be left out at its end. A time without a zone would be read as that of
 * this machine.
 */
function readInstant(text: string): number {
  return /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : NaN
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new ConfigurationError('--limit is a whole number of lines, 0 to 999999')
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
