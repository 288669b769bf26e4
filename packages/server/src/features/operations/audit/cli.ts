import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call, CallFlags } from '../../../feature/cli-command.ts'
import { printList, type Listing } from '../../../feature/listing.ts'
import { followAudit } from './follow.ts'
import { readSince } from './since.ts'
import { hasEntriesOf, listAudit, type AuditFilter } from './store.ts'
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
  const filter = readFilter(flags, { defaultLimit, now: clock.now() })

  const isFollowing = flags.has('follow')
  const ended = isFollowing
    ? AbortSignal.any([terminal.unread, abortAfter(terminal.untilStopped())])
    : terminal.unread
  const pause = (): Promise<boolean> =>
    delay(pollMilliseconds, true, { signal: ended }).catch(() => false)

  await call.withDatabase(async (database) => {
    const { subject } = filter
    if (subject !== undefined && !(await hasEntriesOf(database.reader, subject)))
      terminal.printError(
        `keystile: the record has no entry about the subject ${subject}. ` +
          'Fix: give the id of the user, which "keystile user list" shows',
      )
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

function readFilter(
  flags: CallFlags,
  { defaultLimit, now }: { readonly defaultLimit: number; readonly now: number },
): AuditFilter {
  const since = flags.value('since')
  const limit = flags.value('limit')
  const last = since === undefined ? defaultLimit : undefined
  return {
    since: since === undefined ? undefined : readSince(since, now),
    subject: flags.value('subject'),
    last: limit === undefined ? last : readLimit(limit),
  }
}

function readLimit(text: string): number {
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
