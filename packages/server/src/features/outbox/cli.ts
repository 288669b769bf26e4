// The commands `keystile mail …`.
import { ConfigurationError } from '../../base/configuration-error.ts'
import type { Call } from '../../feature/cli-command.ts'
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
    created_at: timeOf(mail.created_at),
    next_try_at: mail.dead_at === null ? timeOf(mail.next_try_at) : null,
    expires_at: timeOf(mail.expires_at),
  }
}

function columnsOf(mail: ListedMail): readonly string[] {
  return [
    mail.id,
    stateOf(mail),
    mail.template,
    mail.recipient,
    timeOf(mail.created_at),
    `${mail.tries} tries`,
    mail.failure ?? '-',
  ]
}

function stateOf(mail: ListedMail): 'dead' | 'waiting' {
  return mail.dead_at === null ? 'waiting' : 'dead'
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

/** `keystile mail retry`: makes a running server try dead letters again. */
export async function retry({
  flags,
  terminal,
  clock,
  withDatabase,
}: Call<unknown>): Promise<void> {
  const id = flags.value('id')
  await withDatabase(async (database) => {
    const { retried } = await database.write(mailCommands.retry, { id, now: clock.now() })
    if (id !== undefined && retried === 0)
      throw new ConfigurationError('the mail must exist and not be expired; see keystile mail list')
    terminal.print(
      `${retried} ${retried === 1 ? 'mail' : 'mails'} will be sent by a running server`,
    )
  })
}
