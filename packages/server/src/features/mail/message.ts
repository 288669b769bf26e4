/**
 * A mail that is ready to be sent. Its members have the names of nodemailer, so
 * `transport.sendMail(message)` sends it.
 */
export interface MailMessage {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The same for each copy of a mail, so that a mailbox can recognise a second copy. */
  readonly messageId: string
  /** When the change happened that caused the mail. */
  readonly date: Date
  readonly headers: Readonly<Record<string, string>>
}

/** The languages in which Keystile writes mails. */
export const languages = ['en', 'de', 'fr', 'es'] as const
export type Language = (typeof languages)[number]

/** The mails that tell a user about a change or an attempt. They have no link. */
export const noticeKinds = [
  'password_changed',
  'new_device',
  'account_disabled',
  'already_registered',
  'email_taken',
] as const
export type NoticeKind = (typeof noticeKinds)[number]

/** The mails with a link, and mostly a code, that prove that a person reads the mailbox. */
export const proofKinds = [
  'password_reset',
  'email_verification',
  'registration',
  'email_change',
  'email_changed',
  'invitation',
] as const
export type ProofMailKind = (typeof proofKinds)[number]

/** The mails that Keystile sends. */
export const mailKinds: readonly (NoticeKind | ProofMailKind)[] = [...noticeKinds, ...proofKinds]

/** The values for the text of a notice. No stranger can choose any of them. */
export interface Notice {
  /** The id of the user, as the subject of the tokens. */
  readonly subject: string
  /** Where the user has the account: the host of the issuer, such as `auth.example.com`. */
  readonly service: string
  /** When the change happened. */
  readonly at: Date
  /** The IP address that the change came from. Undefined if it is unknown. */
  readonly address: string | undefined
  /** The language that the browser of the person prefers, or the value of `mailLanguage`. */
  readonly language: Language
}

/** The values for the text of a mail with a link. No stranger can choose any of them. */
export interface ProofMail {
  /**
   * The id of the user, as the subject of the tokens; in `registration` and `invitation`, the
   * future id.
   */
  readonly subject: string
  /** Where the user has the account: the host of the issuer, such as `auth.example.com`. */
  readonly service: string
  /** When the mail was written. */
  readonly at: Date
  /** The link to the page that confirms. It works once. */
  readonly link: string
  /** Eight digits, for people who read the mail on another device; undefined for a link alone. */
  readonly code: string | undefined
  /** When the link and the code expire. */
  readonly expiresAt: Date
  /** The language that the browser of the person prefers, or the value of `mailLanguage`. */
  readonly language: Language
}

/** The content of a mail. */
export interface MailContent {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Functions that write mails instead of Keystile. */
export type MailTemplates = {
  readonly [Kind in NoticeKind]?: (notice: Notice) => MailContent | Promise<MailContent>
} & {
  readonly [Kind in ProofMailKind]?: (mail: ProofMail) => MailContent | Promise<MailContent>
}
