// Keystile's own texts of mails, with the values of one mail.
import { durationOf, groupDigits, timeOf } from './formats.ts'
import type { LinkMailKind, MailText, UndoMailKind, UndoValues } from './mail-text-types.ts'
import type {
  CodeMail,
  CodeMailKind,
  Language,
  Notice,
  NoticeKind,
  ProofMail,
  ProofMailKind,
} from './message.ts'
import type { PageTexts } from './text-types.ts'
import { texts } from './texts.ts'

export function noticeText(
  kind: NoticeKind,
  { service, at, address, isReplacement }: Notice & { readonly isReplacement: boolean },
  language: Language,
): MailText {
  const { notices, automatic } = texts[language]
  const values = { service, time: timeOf(at, language), address, isReplacement }
  return [...notices[kind](values), automatic]
}

export function codeText(kind: CodeMailKind, mail: CodeMail, language: Language): MailText {
  const { service, code } = mail
  const values = { service, code: groupDigits(code), ...termsOf(mail, language) }
  return texts[language][kind](values)
}

/** Returns the text of a mail that reports a change, with the link that undoes it. */
export function undoText(kind: UndoMailKind, mail: ProofMail, language: Language): MailText {
  const { service, link } = mail
  return texts[language].undoMails[kind]({ service, link, ...termsOf(mail, language) })
}

/** Returns the text of a mail with a link, and with a code if there is one. */
export function linkText(kind: LinkMailKind, mail: ProofMail): MailText {
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

/** Returns what the button of a mail says: the heading of the page that it opens. */
export function buttonText(kind: ProofMailKind, language: Language): string {
  return texts[language].pages[pageOfKind[kind]].heading
}

const pageOfKind = {
  password_reset: 'reset',
  email_verification: 'verify',
  registration: 'finish',
  email_change: 'change',
  email_changed: 'undo',
  first_factor_added: 'undoFactor',
  invitation: 'accept',
} as const satisfies Record<ProofMailKind, keyof PageTexts>

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
