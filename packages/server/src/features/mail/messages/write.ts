import type { Brand } from '../../../pages/brand.ts'
import type { OutgoingMail } from '../outbox/sender.ts'
import { parseLanguage } from './language.ts'
import { layOut } from './layout.ts'
import {
  codeMailKinds,
  noticeKinds,
  proofMailKinds,
  type CodeMail,
  type CodeMailKind,
  type Language,
  type MailContent,
  type MailMessage,
  type MailTemplates,
  type Notice,
  type NoticeKind,
  type ProofMail,
  type ProofMailKind,
} from './message.ts'
import type { LinkMailKind, MailText, UndoMailKind, UndoValues } from './mail-text-types.ts'
import type { PageTexts } from './text-types.ts'
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
  // An IPv6 address is in brackets and has colons, which the id of a message must not have there.
  const domain = hostname.replaceAll(/[[\]]/g, '').replaceAll(':', '-')
  return {
    from: options.from,
    to: mail.recipient,
    ...(await contentOf(mail, options)),
    messageId: `<${mail.id}@${domain}>`,
    date: mail.createdAt,
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

type Content = MailContent & Pick<MailMessage, 'attachments'>

async function contentOf(mail: OutgoingMail, options: WritingOptions): Promise<Content> {
  const notice = noticeKinds.find((kind) => kind === mail.template)
  if (notice) return writeNotice(notice, mail, options)

  const ofCode = codeMailKinds.find((kind) => kind === mail.template)
  if (ofCode) return writeCode(ofCode, mail, options)

  const ofLink = proofMailKinds.find((kind) => kind === mail.template)
  if (ofLink) return writeLink(ofLink, mail, options)

  throw new Error('this version of Keystile does not know the template of the mail')
}

async function writeNotice(
  kind: NoticeKind,
  mail: OutgoingMail,
  options: WritingOptions,
): Promise<Content> {
  const { templates } = options
  const values: Notice = { ...valuesOf(mail, options), address: mail.parameters['address'] }
  if (templates[kind]) return requireContent(await templates[kind](values))

  const { service, at, address } = values
  const isReplacement = mail.parameters['replaces'] !== undefined
  return layOutIn(ownerLanguages(values, options), options, (language) => {
    const { notices, automatic } = texts[language]
    const shown = { service, time: timeOf(at, language), address, isReplacement }
    return [...notices[kind](shown), automatic]
  })
}

async function writeCode(
  kind: CodeMailKind,
  mail: OutgoingMail,
  options: WritingOptions,
): Promise<Content> {
  const { templates } = options
  const { code = '' } = mail.parameters
  const values: CodeMail = { ...valuesOf(mail, options), code, expiresAt: expiryOf(mail) }
  if (templates[kind]) return requireContent(await templates[kind](values))

  const shown = { service: values.service, code: groupDigits(code) }
  return layOutIn(ownerLanguages(values, options), options, (language) =>
    texts[language][kind]({ ...shown, ...termsOf(values, language) }),
  )
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

async function writeLink(
  kind: ProofMailKind,
  mail: OutgoingMail,
  options: WritingOptions,
): Promise<Content> {
  const { templates } = options
  const { link = '', code } = mail.parameters
  const values: ProofMail = { ...valuesOf(mail, options), link, code, expiresAt: expiryOf(mail) }
  if (templates[kind]) return requireContent(await templates[kind](values))

  const buttonIn = (language: Language): string => texts[language].pages[pageOfKind[kind]].heading
  if (!isUndo(kind))
    return layOutIn([values.language], options, () => linkText(kind, values), buttonIn)

  const { service } = values
  const textIn = (language: Language): MailText =>
    texts[language].undoMails[kind]({ service, link, ...termsOf(values, language) })
  return layOutIn(ownerLanguages(values, options), options, textIn, buttonIn)
}

/** Whether a mail reports a change, as a notice does, and has a link that undoes the change. */
function isUndo(kind: ProofMailKind): kind is UndoMailKind {
  return kind === 'email_changed' || kind === 'first_factor_added'
}

/** Returns the values that all mails have. */
function valuesOf(
  { subject, parameters, createdAt: at }: OutgoingMail,
  { brand, language: configured }: WritingOptions,
): Omit<Notice, 'address'> {
  const language = parseLanguage(parameters['language']) ?? configured
  return { subject, service: brand.name, at, language }
}

/** Returns when the link and the code of a mail expire. All mails that have one have this time. */
function expiryOf({ parameters }: OutgoingMail): Date {
  return new Date(parameters['expires_at'] ?? '')
}

/**
 * Returns the languages of a mail that the owner of the account must be able to read: that of the
 * request and that of the setting. The request may come from an intruder, whose language the owner
 * cannot read (decisions/0053-notices-in-two-languages.md).
 */
function ownerLanguages(
  { language }: Pick<Notice, 'language'>,
  { language: configured }: WritingOptions,
): readonly Language[] {
  return [...new Set([language, configured])]
}

function layOutIn(
  languages: readonly Language[],
  { brand }: WritingOptions,
  textIn: (language: Language) => MailText,
  buttonIn?: (language: Language) => string,
): Content {
  const versions = languages.map((language) => ({
    language,
    mail: textIn(language),
    button: buttonIn?.(language) ?? '',
    otherwise: texts[language].otherwise,
  }))
  return layOut(versions, brand)
}

/** Returns how long a link or a code works, and until when. */
function termsOf(
  { at, expiresAt }: Pick<ProofMail, 'at' | 'expiresAt'>,
  language: Language,
): Pick<UndoValues, 'lifetime' | 'until'> {
  return {
    lifetime: durationOf(expiresAt.getTime() - at.getTime(), language),
    until: timeOf(expiresAt, language),
  }
}

/** Returns the text of a mail with a link, and with a code if there is one. */
function linkText(kind: LinkMailKind, mail: ProofMail): MailText {
  const { service, link, code, language } = mail
  const { lifetime, until } = termsOf(mail, language)
  const { linkMails, both, linkOnly } = texts[language]
  const text = linkMails[kind](service)
  const { subject, beforeCode } = text
  const { beforeLink, ifNotYou } = code === undefined ? (text.withoutCode ?? text) : text
  const hasCode = code !== undefined && beforeCode !== undefined
  const terms = hasCode ? both : linkOnly
  return [
    subject,
    beforeLink,
    { link },
    ...(hasCode ? [beforeCode, { code: groupDigits(code) }] : []),
    terms.works(lifetime, until),
    `${ifNotYou} ${terms.keepSecret}`,
  ]
}

/** Writes a code as people read it: `12345678` becomes `1234 5678`. */
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
  const format = (value: number, unit: 'minute' | 'hour' | 'day'): string =>
    new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value)

  const minutes = Math.max(1, Math.round(milliseconds / 60_000))
  if (minutes < 2 * 60) return format(minutes, 'minute')
  if (minutes < 48 * 60) return format(Math.round(minutes / 60), 'hour')
  return format(Math.round(minutes / (24 * 60)), 'day')
}

/** Checks what a template of the app has returned. */
function requireContent(content: unknown): MailContent {
  const { subject, text, html } = (content ?? {}) as Partial<Record<keyof MailContent, unknown>>
  if (typeof subject !== 'string' || typeof text !== 'string' || typeof html !== 'string')
    throw new TypeError('a mail template must return the strings `subject`, `text` and `html`')
  return { subject, text, html }
}
