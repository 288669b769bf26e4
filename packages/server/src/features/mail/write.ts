import type { OutgoingMail } from '../outbox/sender.ts'
import {
  mailKinds,
  type Language,
  type MailContent,
  type MailMessage,
  type MailTemplates,
  type Notice,
} from './message.ts'
import { texts, type Text } from './texts.ts'

/** The settings that the text of a mail uses. */
export interface WritingOptions {
  readonly from: string
  readonly issuer: string
  readonly language: Language
  readonly templates: MailTemplates
}

/**
 * Writes a mail as text and as HTML, without links, images or remote content. The headers mark it
 * as an automatic mail, so that other programs do not reply to it (RFC 3834 §5).
 *
 * @throws {Error} if a template of the app fails, or returns values that are not strings
 */
export async function writeMail(
  { id, template, subject, recipient, parameters, createdAt }: OutgoingMail,
  { from, issuer, language, templates }: WritingOptions,
): Promise<MailMessage> {
  const kind = mailKinds.find((known) => known === template)
  if (!kind) throw new Error('this version of Keystile must know the template of a mail')

  const { hostname, host } = new URL(issuer)
  const { address } = parameters
  const notice: Notice = { subject, service: host, at: createdAt, address, language }
  const content = templates[kind]
    ? requireContent(await templates[kind](notice))
    : contentOf(texts[language][kind]({ service: host, time: timeOf(notice), address }), language)

  return {
    from,
    to: recipient,
    ...content,
    messageId: `<${id}@${hostname.replace(/^\[(.*)\]$/, '$1').replaceAll(':', '-')}>`,
    date: createdAt,
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

/** Returns the time in a language, in UTC, because the time zone of the user is unknown. */
function timeOf({ at, language }: Notice): string {
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  return `${format.format(at)} UTC`
}

function contentOf({ subject, paragraphs }: Text, language: Language): MailContent {
  const body = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')
  return {
    subject,
    text: `${paragraphs.join('\n\n')}\n`,
    html: `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body>
${body}
</body>
</html>
`,
  }
}

/** Escapes a text for the content of an HTML element. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.codePointAt(0)};`)
}

function requireContent(content: unknown): MailContent {
  const { subject, text, html } = (content ?? {}) as Partial<Record<keyof MailContent, unknown>>
  if (typeof subject !== 'string' || typeof text !== 'string' || typeof html !== 'string')
    throw new TypeError('a mail template must return the strings subject, text and html')
  return { subject, text, html }
}
