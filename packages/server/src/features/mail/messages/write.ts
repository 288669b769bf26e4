// Writes a mail of the outbox: with a template of the app, or else with Keystile's own texts.
import type { Brand } from '../../../pages/brand.ts'
import type { OutgoingMail } from '../outbox/sender.ts'
import { parseLanguage } from './language.ts'
import { layOut } from './layout.ts'
import type { MailText, UndoMailKind } from './mail-text-types.ts'
import { buttonText, codeText, linkText, noticeText, undoText } from './mail-texts.ts'
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
  const values: Notice = { ...valuesOf(mail, options), address: mail.parameters['address'] }
  const template = options.templates[kind]
  if (template) return requireContent(await template(values))

  const notice = { ...values, isReplacement: mail.parameters['replaces'] !== undefined }
  return layOutIn(ownerLanguages(values, options), options, (language) =>
    noticeText(kind, notice, language),
  )
}

async function writeCode(
  kind: CodeMailKind,
  mail: OutgoingMail,
  options: WritingOptions,
): Promise<Content> {
  const { code = '' } = mail.parameters
  const values: CodeMail = { ...valuesOf(mail, options), code, expiresAt: expiryOf(mail) }
  const template = options.templates[kind]
  if (template) return requireContent(await template(values))

  return layOutIn(ownerLanguages(values, options), options, (language) =>
    codeText(kind, values, language),
  )
}

async function writeLink(
  kind: ProofMailKind,
  mail: OutgoingMail,
  options: WritingOptions,
): Promise<Content> {
  const { link = '', code } = mail.parameters
  const values: ProofMail = { ...valuesOf(mail, options), link, code, expiresAt: expiryOf(mail) }
  const template = options.templates[kind]
  if (template) return requireContent(await template(values))

  const buttonIn = (language: Language): string => buttonText(kind, language)
  if (!isUndo(kind))
    return layOutIn([values.language], options, () => linkText(kind, values), buttonIn)

  const textIn = (language: Language): MailText => undoText(kind, values, language)
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

/** Checks what a template of the app has returned. */
function requireContent(content: unknown): MailContent {
  const { subject, text, html } = (content ?? {}) as Partial<Record<keyof MailContent, unknown>>
  if (typeof subject !== 'string' || typeof text !== 'string' || typeof html !== 'string')
    throw new TypeError('a mail template must return the strings `subject`, `text` and `html`')
  return { subject, text, html }
}
