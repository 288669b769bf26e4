import { escapeHtml } from '../../../pages/html.ts'
import type { OutgoingMail } from '../outbox/sender.ts'
import { parseLanguage } from './language.ts'
import {
  noticeKinds,
  proofKinds,
  type Language,
  type MailContent,
  type MailMessage,
  type MailTemplates,
  type Notice,
  type NoticeKind,
  type ProofMail,
  type ProofMailKind,
} from './message.ts'
import { proofTexts } from './proof-texts.ts'
import { texts, type Paragraph, type Text } from './texts.ts'

export interface WritingOptions {
  readonly from: string
  readonly issuer: string
  readonly language: Language
  readonly templates: MailTemplates
}

/**
 * Writes a mail as text and as HTML, without images or remote content. A notice has no link. The
 * headers mark each mail as automatic, so that other programs do not reply to it (RFC 3834 §5).
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

function contentOf(
  mail: OutgoingMail,
  options: WritingOptions,
): MailContent | Promise<MailContent> {
  const notice = noticeKinds.find((known) => known === mail.template)
  if (notice) return noticeContent(notice, mail, options)

  const proof = proofKinds.find((known) => known === mail.template)
  if (proof) return proofContent(proof, mail, options)
  throw new Error('this version of Keystile does not know the template of the mail')
}

async function noticeContent(
  kind: NoticeKind,
  { subject, parameters, createdAt: at }: OutgoingMail,
  { issuer, templates, ...options }: WritingOptions,
): Promise<MailContent> {
  const { address } = parameters
  const language = parseLanguage(parameters['language']) ?? options.language
  const service = new URL(issuer).host
  const notice: Notice = { subject, service, at, address, language }
  if (templates[kind]) return requireContent(await templates[kind](notice))

  const textIn = (read: Language): Text =>
    texts[read][kind]({ service, time: timeOf(at, read), address })
  return layOutBoth(textIn, language, options.language)
}

async function proofContent(
  kind: ProofMailKind,
  { subject, parameters, createdAt: at }: OutgoingMail,
  { issuer, templates, ...options }: WritingOptions,
): Promise<MailContent> {
  const { link = '', code, expires_at = '' } = parameters
  const language = parseLanguage(parameters['language']) ?? options.language
  const service = new URL(issuer).host
  const expiresAt = new Date(expires_at)
  const mail: ProofMail = { subject, service, at, link, code, expiresAt, language }
  if (templates[kind]) return requireContent(await templates[kind](mail))

  const textIn = (read: Language): Text =>
    proofTexts[read][kind]({
      service,
      link,
      code: code?.replace(/^(\d{4})(\d{4})$/, '$1 $2'),
      lifetime: durationOf(expiresAt.getTime() - at.getTime(), read),
      until: timeOf(expiresAt, read),
    })
  // This mail reports a change, as a notice does.
  if (kind === 'email_changed') return layOutBoth(textIn, language, options.language)
  return layOut([{ ...textIn(language), language }])
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

// decisions/0053-notices-in-two-languages.md
/**
 * Lays out a mail about a change in the language of the request, then in that of the setting: the
 * request may come from an intruder, whose language the owner of the account cannot read.
 */
function layOutBoth(
  textIn: (language: Language) => Text,
  asked: Language,
  configured: Language,
): MailContent {
  const read = [...new Set([asked, configured])]
  return layOut(read.map((language) => ({ ...textIn(language), language })))
}

type Version = Text & { readonly language: Language }

function layOut(versions: readonly Version[]): MailContent {
  const [language] = versions.map((version) => version.language)
  const subject = versions.map((version) => version.subject).join(' / ')
  return {
    subject,
    text: `${versions.map(({ paragraphs }) => paragraphs.map(textOf).join('\n\n')).join(rule)}\n`,
    html: `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body>
${versions.map((version) => bodyOf(version, version.language === language)).join('\n<hr>\n')}
</body>
</html>
`,
  }
}

/** Separates the versions of a text. */
const rule = '\n\n---\n\n'

function bodyOf({ paragraphs, language }: Version, isFirst: boolean): string {
  const body = paragraphs.map((paragraph) => `<p>${htmlOf(paragraph)}</p>`).join('\n')
  return isFirst ? body : `<div lang="${language}">\n${body}\n</div>`
}

function textOf(paragraph: Paragraph): string {
  if (typeof paragraph === 'string') return paragraph
  return 'link' in paragraph ? paragraph.link : paragraph.code
}

function htmlOf(paragraph: Paragraph): string {
  const text = escapeHtml(textOf(paragraph))
  if (typeof paragraph === 'string') return text
  return 'link' in paragraph ? `<a href="${text}">${text}</a>` : `<strong>${text}</strong>`
}

function requireContent(content: unknown): MailContent {
  const { subject, text, html } = (content ?? {}) as Partial<Record<keyof MailContent, unknown>>
  if (typeof subject !== 'string' || typeof text !== 'string' || typeof html !== 'string')
    throw new TypeError('a mail template must return the strings `subject`, `text` and `html`')
  return { subject, text, html }
}
