// Starts the parts that send mails, if mail is configured.
import type { Clock, Logger } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import type { Meter } from '../../../feature/metric.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Lease } from '../../operations/lease/lease.ts'
import { startSender, type Sender, type SenderParts } from '../outbox/sender.ts'
import { createConsoleMail } from './console.ts'
import { dkimOf } from './dkim.ts'
import type { AppMail } from './feature.ts'
import { parseMailUrl } from './mail-url.ts'
import type { Language } from './message.ts'
import { createSmtp } from './smtp.ts'
import type { MailTransport } from './transport.ts'
import { writeMail, type WritingOptions } from './write.ts'

export interface MailChoice {
  readonly mail?: AppMail | undefined
  readonly mailUrl?: string | undefined
  readonly mailFrom?: string | undefined
  readonly mailDkimKey?: string | undefined
  readonly mailDkimSelector: string
  readonly mailLanguage: Language
  readonly issuer: string
  readonly clock: Clock
  readonly logger: Logger
}

export function hasMail({ mail, mailUrl }: Pick<MailChoice, 'mail' | 'mailUrl'>): boolean {
  return mail !== undefined || mailUrl !== undefined
}

export interface MailParts {
  readonly database: SenderParts['database']
  readonly lease: Lease
  readonly meter: Meter
  readonly seal: () => Seal
}

/** Sends the mails of the outbox, and serves the page for development. */
export interface Mail extends Sender {
  readonly routes: readonly OpenRoute[]
}

/** Starts to send mails, if the settings name a way to send them. */
export async function startMail(
  options: MailChoice,
  { database, lease, meter, seal }: MailParts,
): Promise<Mail> {
  if (!hasMail(options)) return { routes: [], gauges: [], close: async () => {} }

  const { clock, logger } = options
  const { transport, routes } = await openTransport(options)
  const writing = writingOf(options)
  const sender = startSender({
    database,
    lease,
    seal: seal(),
    server: transport.server,
    deliver: async (mail, signal) => transport.send(await writeMail(mail, writing), signal),
    clock,
    logger,
    meter,
  })
  return {
    routes,
    get gauges() {
      return sender.gauges
    },
    async close() {
      await sender.close()
      transport.close()
    },
  }
}

/** The sender of the mails at `/dev/mail`. A mail server requires `mailFrom`. */
const consoleSender = 'Keystile <no-reply@localhost>'

function writingOf({
  mail,
  mailFrom = consoleSender,
  mailLanguage,
  issuer,
}: MailChoice): WritingOptions {
  return {
    from: mail?.from ?? mailFrom,
    issuer,
    language: mailLanguage,
    templates: mail?.templates ?? {},
  }
}

async function openTransport(
  options: MailChoice,
): Promise<{ readonly transport: MailTransport; readonly routes: readonly OpenRoute[] }> {
  const { mail, mailUrl = '' } = options
  if (mail) return { transport: appTransport(mail), routes: [] }

  const server = parseMailUrl(mailUrl)
  if (server.kind === 'console') {
    const transport = createConsoleMail(options)
    return { transport, routes: [transport.route] }
  }
  return { transport: await createSmtp(server, dkimOf(options)), routes: [] }
}

function appTransport(mail: AppMail): MailTransport {
  return {
    async send(message, signal) {
      await mail.send(message, { signal })
    },
    close() {},
  }
}
