// Starts the parts that send mails, if mail is configured.
import type { Clock, Logger } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Brand } from '../../../pages/brand.ts'
import { startSender, type Sender, type SenderParts } from '../outbox/sender.ts'
import { createConsoleMail } from './console.ts'
import { dkimOf, type DkimChoice } from './dkim.ts'
import type { AppMail } from './feature.ts'
import { parseMailUrl } from './mail-url.ts'
import type { Language } from './message.ts'
import { createSmtp } from './smtp.ts'
import type { MailTransport } from './transport.ts'
import { writeMail } from './write.ts'

export interface MailChoice extends DkimChoice {
  readonly mail?: AppMail | undefined
  readonly mailUrl?: string | undefined
  readonly mailLanguage: Language
  readonly issuer: string
  readonly clock: Clock
  readonly logger: Logger
}

export function hasMail({ mail, mailUrl }: Pick<MailChoice, 'mail' | 'mailUrl'>): boolean {
  return mail !== undefined || mailUrl !== undefined
}

/** Sends the mails of the outbox, and serves the page for development. */
export interface Mail extends Sender {
  readonly routes: readonly OpenRoute[]
}

/** The sender of the mails at `/dev/mail`. A mail server requires `mailFrom`. */
const consoleSender = 'Keystile <no-reply@localhost>'

export interface MailParts extends Pick<SenderParts, 'database' | 'lease' | 'meter'> {
  readonly seal: () => Seal
  readonly brand: Brand
}

/** Starts to send mails, if the settings name a way to send them. */
export async function startMail(
  options: MailChoice,
  { brand, ...parts }: MailParts,
): Promise<Mail> {
  if (!hasMail(options)) return { routes: [], readGauges: () => [], close: async () => {} }

  const { mail, mailFrom, mailLanguage: language, issuer, clock, logger } = options
  const transport = await openTransport(options, brand)
  const from = mail?.from ?? mailFrom ?? consoleSender
  const writing = { from, issuer, brand, language, templates: mail?.templates ?? {} }
  const sender = startSender({
    ...parts,
    clock,
    logger,
    seal: parts.seal(),
    server: transport.server,
    deliver: async (outgoing, signal) => transport.send(await writeMail(outgoing, writing), signal),
  })
  return {
    routes: transport.routes ?? [],
    readGauges: sender.readGauges,
    async close() {
      await sender.close()
      transport.close()
    },
  }
}

async function openTransport(options: MailChoice, brand: Brand): Promise<MailTransport> {
  const { mail, mailUrl = '' } = options
  if (mail)
    return {
      async send(message, signal) {
        await mail.send(message, { signal })
      },
      close() {},
    }

  const server = parseMailUrl(mailUrl)
  return server.kind === 'console'
    ? createConsoleMail({ brand, logger: options.logger })
    : createSmtp(server, dkimOf(options))
}
