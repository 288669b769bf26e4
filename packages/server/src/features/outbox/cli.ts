// The commands `keystile mail …`.
import type { Call } from '../../feature/cli-command.ts'
import { retryRows, shownTime } from '../queue/cli.ts'
import { listMails, mailCommands, type ListedMail } from './store.ts'

/** The largest number of mails that `mail list` shows. */
const maxListed = 1_000

/** `keystile mail list`: prints each mail on one line. The parameters of a mail are never read. */
export async function list({ flags, terminal, withDatabase }: Call<unknown>): Promise<void> {
  await withDatabase(async ({ reader }) => {
    for (const mail of await listMails(reader, maxListed))
      if (flags.has('json')) terminal.printJson(wireMail(mail))
      else terminal.printRow(columnsOf(mail))
  })
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

function columnsOf(mail: ListedMail): readonly string[] {
  return [
    mail.id,
    stateOf(mail),
    mail.template,
    mail.recipient,
    shownTime(mail.created_at),
    `${mail.tries} tries`,
    mail.failure ?? '-',
  ]
}

function stateOf(mail: ListedMail): 'dead' | 'waiting' {
  return mail.dead_at === null ? 'waiting' : 'dead'
}

/**
 * `keystile mail retry`: makes a running server try again to send dead letters, which are mails
 * that it gave up on.
 */
export async function retry(call: Call<unknown>): Promise<void> {
  await retryRows(call, mailCommands, { row: 'mail', next: 'sent by a running server' })
}
