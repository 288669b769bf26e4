// The commands `keystile mail …`.
import type { Call } from '../../feature/cli-command.ts'
import { printList, type Listing } from '../../feature/listing.ts'
import { retryRows, shownTime } from '../queue/cli.ts'
import { listMails, mailCommands, type ListedMail } from './store.ts'

/** The largest number of mails that `mail list` shows. */
const maxListed = 1_000

/** `keystile mail list`: prints each mail on one line. The parameters of a mail are never read. */
export async function list(call: Call<unknown>): Promise<void> {
  await call.withDatabase(async ({ reader }) =>
    printList(call, await listMails(reader, maxListed), mailList),
  )
}

function wireMail(mail: ListedMail): object {
  return {
    id: mail.id,
    template: mail.template,
    subject: mail.subject,
    recipient: mail.recipient,
    state: stateOf(mail),
    tries: mail.tries,
    failure: mail.failure,
    created_at: shownTime(mail.created_at),
    next_try_at: mail.dead_at === null ? shownTime(mail.next_try_at) : null,
    expires_at: shownTime(mail.expires_at),
  }
}

function stateOf(mail: ListedMail): 'dead' | 'waiting' {
  return mail.dead_at === null ? 'waiting' : 'dead'
}

const mailList: Listing<ListedMail> = {
  columns: [
    { title: 'MAIL', width: 36, show: ({ id }) => id },
    { title: 'STATE', width: 7, show: stateOf },
    { title: 'TEMPLATE', width: 20, show: ({ template }) => template },
    { title: 'RECIPIENT', width: 28, show: ({ recipient }) => recipient },
    { title: 'CREATED', width: 24, show: (mail) => shownTime(mail.created_at) },
    { title: 'TRIES', width: 8, show: ({ tries }) => `${tries} tries` },
    { title: 'FAILURE', width: 0, show: ({ failure }) => failure },
  ],
  wire: wireMail,
  none: 'no mail waits, and none has failed for good',
}

/**
 * `keystile mail retry`: makes a running server try again to send dead letters, which are mails
 * that it gave up on.
 */
export async function retry(call: Call<unknown>): Promise<void> {
  await retryRows(call, mailCommands, { row: 'mail', next: 'a running server tries to send' })
}
