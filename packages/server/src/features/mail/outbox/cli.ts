// The commands `keystile mail …`.
import type { Call } from '../../../feature/cli-command.ts'
import { countOf } from '../../../feature/count.ts'
import { printList, type Listing } from '../../../feature/listing.ts'
import { retryRows, shownTime } from '../../operations/queue/cli.ts'
import { listDropped, listMails, mailCommands, type ListedMail } from './store.ts'
import type { DroppedMailRow } from './tables.ts'

/** How many rows a list prints at most. */
const maxListed = 1_000

/** `keystile mail list`: prints each mail on one line. The parameters of a mail are never read. */
export async function list(call: Call<unknown>): Promise<void> {
  await call.withDatabase(async ({ reader }) =>
    call.flags.has('dropped')
      ? printList(call, await listDropped(reader, maxListed), droppedList)
      : printList(call, await listMails(reader, maxListed), mailList),
  )
}

const droppedList: Listing<DroppedMailRow> = {
  columns: [
    { title: 'LAST DROPPED', width: 24, show: ({ dropped_at }) => shownTime(dropped_at) },
    { title: 'TEMPLATE', width: 20, show: ({ template }) => template },
    { title: 'RECIPIENT', width: 28, show: ({ recipient }) => recipient },
    { title: 'DROPPED', width: 0, show: ({ drops }) => countOf(drops, 'mail') },
  ],
  wire: ({ template, subject, recipient, drops, dropped_at }) => ({
    template,
    subject,
    recipient,
    drops,
    last_dropped_at: shownTime(dropped_at),
  }),
  none: 'no mail was dropped in the last three days',
}

function stateOf(mail: ListedMail): 'dead' | 'waiting' {
  return mail.dead_at === null ? 'waiting' : 'dead'
}

function nextTryOf(mail: ListedMail): string | null {
  return mail.dead_at === null ? shownTime(mail.next_try_at) : null
}

const mailList: Listing<ListedMail> = {
  columns: [
    { title: 'MAIL', width: 36, show: ({ id }) => id },
    { title: 'STATE', width: 7, show: stateOf },
    { title: 'TEMPLATE', width: 20, show: ({ template }) => template },
    { title: 'RECIPIENT', width: 28, show: ({ recipient }) => recipient },
    { title: 'CREATED', width: 24, show: (mail) => shownTime(mail.created_at) },
    { title: 'TRIES', width: 8, show: ({ tries }) => countOf(tries, 'try', 'tries') },
    { title: 'NEXT TRY', width: 24, show: nextTryOf },
    { title: 'EXPIRES', width: 24, show: (mail) => shownTime(mail.expires_at) },
    { title: 'FAILURE', width: 0, show: ({ failure }) => failure },
  ],
  wire: (mail) => ({
    id: mail.id,
    template: mail.template,
    subject: mail.subject,
    recipient: mail.recipient,
    state: stateOf(mail),
    tries: mail.tries,
    failure: mail.failure,
    created_at: shownTime(mail.created_at),
    next_try_at: nextTryOf(mail),
    expires_at: shownTime(mail.expires_at),
  }),
  none: 'no mail waits, and none has failed for good',
}

/**
 * `keystile mail retry`: makes a running server send mails that failed, also those that it gave up
 * on.
 */
export async function retry(call: Call<unknown>): Promise<void> {
  await retryRows(call, mailCommands, { row: 'mail', next: 'a running server tries to send' })
}
