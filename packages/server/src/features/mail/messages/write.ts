import type { Brand } from '../../../pages/brand.ts'
import type { OutgoingMail } from '../outbox/sender.ts'
import { parseLanguage } from './language.ts'
import { layOut } from './layout.ts'
import {
  codeKinds,
  noticeKinds,
  proofKinds,
  type Language,
  type MailContent,
  type MailMessage,
  type MailTemplates,
  type Notice,
  type ProofMail,
  type ProofMailKind,
} from './message.ts'
import type { LinkMailKind, MailText, PageTexts, UndoValues } from './text-types.ts'
import { texts } from './texts.ts'

export interface WritingOptions {
  readonly from: string
  readonly issuer: string
  /** The name and the look of the app. */
  readonly brand: Brand
  readonly language: Language
  readonly templates: MailTemplates
}

/**
 * Writes a mail as text and as HTML. It loads nothing: a logo is in the mail. A notice has no link.
 * The headers mark each mail as automatic, so that other programs do not reply to it (RFC 3834 §5).
 *
 * @throws {Error} if a template of the app fails, or returns values that are not strings
 */
export async function writeMail(mail: OutgoingMail, options: WritingOptions): Promise<MailMessage> {
  const { hostname } = new URL(options.issuer)
  return {
    from: options.from,
    to: mail.recipient,
    ...(await contentOf(mail, options)),
    messageId: `<${mail.id}@${hostname.replaceAll(/[[\]]/g, '').replaceAll(':', '-')}>`,
    date: mail.createdAt,
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

async function contentOf(
  { template, subject, parameters, createdAt: at }: OutgoingMail,
  { brand, templates, language: configured }: WritingOptions,
): Promise<MailContent & Pick<MailMessage, 'attachments'>> {
  const language = parseLanguage(parameters['language']) ?? configured
  const { name: service } = brand
  const { address, link = '', code, expires_at = '' } = parameters

  // A mail about a change is also in the language of the setting: the request may come from an
  // intruder, whose language the owner of the account cannot read
  // (decisions/0053-notices-in-two-languages.md).
  const both = [...new Set([language, configured])]

  const layOutIn = (
    languages: readonly Language[],
    textIn: (read: Language) => MailText,
    kind?: ProofMailKind,
  ): ReturnType<typeof layOut> => {
    const versions = languages.map((read) => {
      const { pages, otherwise } = texts[read]
      const button = kind ? pages[pageOfKind[kind]].heading : ''
      return { language: read, mail: textIn(read), button, otherwise }
    })
    return layOut(versions, brand)
  }

  const notice = noticeKinds.find((known) => known === template)
  if (notice) {
    const values: Notice = { subject, service, at, address, language }
    if (templates[notice]) return requireContent(await templates[notice](values))

    return layOutIn(both, (read) => {
      const { notices, automatic } = texts[read]
      const isReplacement = parameters['replaces'] !== undefined
      const shown = { service, time: timeOf(at, read), address, isReplacement }
      return [...notices[notice](shown), automatic]
    })
  }

  const expiresAt = new Date(expires_at)
  const termsIn = (read: Language): Pick<UndoValues, 'lifetime' | 'until'> => ({
    lifetime: durationOf(expiresAt.getTime() - at.getTime(), read),
    until: timeOf(expiresAt, read),
  })

  const codeKind = codeKinds.find((known) => known === template)
  if (codeKind) {
    const values = { subject, service, at, code: code ?? '', expiresAt, language }
    if (templates[codeKind]) return requireContent(await templates[codeKind](values))
    const shown = { service, code: groupDigits(values.code) }
    return layOutIn(both, (read) => texts[read][codeKind]({ ...shown, ...termsIn(read) }))
  }

  const kind = proofKinds.find((known) => known === template)
  if (!kind) throw new Error('this version of Keystile does not know the template of the mail')

  const values: ProofMail = { subject, service, at, link, code, expiresAt, language }
  if (templates[kind]) return requireContent(await templates[kind](values))

  // These mails report a change, as a notice does.
  if (kind === 'email_changed' || kind === 'first_factor_added')
    return layOutIn(
      both,
      (read) => texts[read].undoMails[kind]({ service, link, ...termsIn(read) }),
      kind,
    )
  return layOutIn([language], (read) => linkText(kind, values, termsIn(read)), kind)
}

/** Returns the text of a mail with a link, and with a code if there is one. */
function linkText(
  kind: LinkMailKind,
  { service, link, code, language }: ProofMail,
  { lifetime, until }: Pick<UndoValues, 'lifetime' | 'until'>,
): MailText {
  const { linkMails, both, linkOnly } = texts[language]
  const text = linkMails[kind](service)
  const { subject, beforeCode } = text
  const { beforeLink, ifNotYou } = code === undefined ? (text.withoutCode ?? text) : text
  const shown = beforeCode === undefined ? undefined : code && groupDigits(code)
  const terms = shown === undefined ? linkOnly : both
  return [
    subject,
    beforeLink,
    { link },
    ...(beforeCode === undefined || shown === undefined ? [] : [beforeCode, { code: shown }]),
    terms.works(lifetime, until),
    `${ifNotYou} ${terms.keepSecret}`,
  ]
}

function groupDigits(code: string): string {
  return code.replace(/^(\d{4})(\d{4})$/, '$1 $2')
}

/** Returns the time in a language, in UTC, because the time zone of the user is unknown. */
function timeOf(at: Date, language: Language): string {
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  return `${format.format(at)} UTC`
}

/** Returns a duration in a language, rounded to minutes, hours or days. */
function durationOf(milliseconds: number, language: Language): string {
  const minutes = Math.max(1, Math.round(milliseconds / 60_000))
  const [value, unit] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 48 * 60
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / (24 * 60)), 'day']
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value)
}

/** What the button in a mail says: the heading of the page that it opens. */
const pageOfKind = {
  password_reset: 'reset',
  email_verification: 'verify',
  registration: 'finish',
  email_change: 'change',
  email_changed: 'undo',
  first_factor_added: 'undoFactor',
  invitation: 'accept',
} as const satisfies Record<ProofMailKind, keyof PageTexts>

function requireContent(content: unknown): MailContent {
  const { subject, text, html } = (content ?? {}) as Partial<Record<keyof MailContent, unknown>>
  if (typeof subject !== 'string' || typeof text !== 'string' || typeof html !== 'string')
    throw new TypeError('a mail template must return the strings `subject`, `text` and `html`')
  return { subject, text, html }
}
