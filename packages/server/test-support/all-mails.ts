// Every mail that Keystile writes, in every language.
import { createSeal } from '../src/base/seal.ts'
import {
  languages,
  mailKinds,
  type Language,
  type MailMessage,
} from '../src/features/mail/messages/message.ts'
import { writeMail } from '../src/features/mail/messages/write.ts'
import { prepareMail, type NewMail } from '../src/features/mail/outbox/new-mail.ts'
import { createBrand } from '../src/pages/brand.ts'

/** A mail as it must arrive, and its row in the outbox. */
export interface PreparedMail {
  readonly kind: string
  readonly language: Language
  readonly row: NewMail
  readonly message: MailMessage
}

/** The settings that the text of the mails depends on, and that they are encrypted with. */
export interface PreparedMailOptions {
  readonly from: string
  readonly issuer: string
  readonly key: string
  readonly at: Date
  readonly appName?: string
}

const recipient = 'ada@example.com'
const hour = 60 * 60 * 1000

/** Writes all mails. A new kind of mail is among them without a change here. */
export function prepareAllMails(options: PreparedMailOptions): Promise<readonly PreparedMail[]> {
  return Promise.all(
    languages.flatMap((language) => mailKinds.map((kind) => prepare(kind, language, options))),
  )
}

async function prepare(
  kind: string,
  language: Language,
  { from, issuer, key, at, appName }: PreparedMailOptions,
): Promise<PreparedMail> {
  // Each kind uses some of these.
  const parameters = {
    address: '192.0.2.7',
    link: `${issuer}/account/reset-password?token=${'q3Vx_Kd7'.repeat(6)}`,
    code: '48201937',
    expires_at: new Date(at.getTime() + hour).toISOString(),
    language,
  }
  const content = { parameters, seal: createSeal(key, 'mails') }
  const row = prepareMail({ template: kind, lifetimeMilliseconds: hour }, content, at.getTime())
  const { id, template } = row
  const mail = { id, template, subject: 'user-1', recipient, parameters, createdAt: at }
  const message = await writeMail(mail, {
    from,
    issuer,
    brand: createBrand({ issuer, appColor: '#7a1fa2', appName }),
    language,
    templates: {},
  })
  return { kind, language, row, message }
}

/** Returns the statement that stores a mail, which is due at once. */
export function insertStatement({ row, message }: PreparedMail): string {
  const { id, template, sealed, lifetimeMilliseconds } = row
  const now = message.date.getTime()
  const texts = [id, template, 'user-1', message.to, sealed ?? '']
  const numbers = [now, now + lifetimeMilliseconds, 0, now]
  return `insert into mail (id, template, subject, recipient, sealed, created_at, expires_at, tries,
    next_try_at) values (${[...texts.map((text) => `'${text}'`), ...numbers].join(', ')})`
}
