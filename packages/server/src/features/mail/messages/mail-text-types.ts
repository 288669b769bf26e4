// The texts of the mails in one language.
import type { NoticeKind, ProofMailKind } from './message.ts'

export interface MailTexts {
  readonly notices: Readonly<Record<NoticeKind, (values: NoticeValues) => MailText>>
  /** The sentence before the address of a link, for mail programs that show no button. */
  readonly otherwise: string
  /** The last paragraph of each notice. */
  readonly automatic: string
  readonly linkMails: Readonly<Record<LinkMailKind, (service: string) => LinkText>>
  /** Notices with a link that undoes the change. */
  readonly undoMails: Readonly<Record<UndoMailKind, (values: UndoValues) => MailText>>
  /** A notice with a code. It works where the login goes on. */
  readonly enrolment_code: (values: CodeValues) => MailText
  /** The terms of a mail with a link and a code. */
  readonly both: Terms
  /** The terms of a mail with only a link. */
  readonly linkOnly: Terms
}

/** One or more sentences, or a link or a code in a paragraph of its own. */
export type Paragraph = string | { readonly link: string } | { readonly code: string }

export type MailText = readonly [subject: string, ...paragraphs: Paragraph[]]

export interface NoticeValues {
  readonly service: string
  /** The time of the change, with its time zone. */
  readonly time: string
  readonly address: string | undefined
  /** Whether the new authenticator app has replaced another one. */
  readonly isReplacement: boolean
}

export type UndoMailKind = 'email_changed' | 'first_factor_added'
export type LinkMailKind = Exclude<ProofMailKind, UndoMailKind>

export interface LinkText {
  readonly subject: string
  readonly beforeLink: string
  /** Undefined if the mail has only a link. */
  readonly beforeCode?: string
  readonly ifNotYou: string
  /** The texts if the mail has no code: a link in an earlier mail has disabled the password. */
  readonly withoutCode?: Pick<LinkText, 'beforeLink' | 'ifNotYou'>
}

export interface UndoValues {
  readonly service: string
  readonly link: string
  /** How long the link works, such as `15 minutes`. */
  readonly lifetime: string
  /** When the link expires, with its time zone. */
  readonly until: string
}

export interface CodeValues extends Omit<UndoValues, 'link'> {
  readonly code: string
}

export interface Terms {
  /** Says how often and how long the link and the code work, and when they expire. */
  readonly works: (lifetime: string, until: string) => string
  readonly keepSecret: string
}
