// The kinds of mails, and what apps see of them: the mail that their `send` gets, and the values
// that their templates get.

/**
 * A mail that is ready to be sent. Its members have the same names as in nodemailer, so
 * `transport.sendMail(message)` can send it.
 */
export interface MailMessage {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /**
   * If a mail is sent twice, both copies have the same id, so a mailbox can recognise the second
   * copy.
   */
  readonly messageId: string
  /** The time of the change that caused the mail. */
  readonly date: Date
  readonly headers: Readonly<Record<string, string>>
  /** The logo, if the app has one as PNG. The HTML shows it by its `cid`. */
  readonly attachments?: MailAttachment[]
}

export interface MailAttachment {
  readonly filename: string
  readonly contentType: string
  readonly content: string
  readonly encoding: 'base64'
  readonly cid: string
  readonly contentDisposition: 'inline'
}

export const languages = ['en', 'de', 'fr', 'es'] as const
export type Language = (typeof languages)[number]

/** The mails that tell a user about a change or an attempt. They have no link. */
export const noticeKinds = [
  'password_changed',
  'new_device',
  'account_disabled',
  'account_deleted',
  'already_registered',
  'email_taken',
  'email_removed',
  'factor_added',
  'factor_removed',
  'recovery_codes_made',
  'recovery_code_used',
  'factor_guessed',
] as const
export type NoticeKind = (typeof noticeKinds)[number]

/** The notices that the setting `disabledNotices` can switch off. */
export const optionalNotices = [
  'new_device',
  'password_changed',
  'account_disabled',
  'account_deleted',
  'email_removed',
] as const
export type OptionalNotice = (typeof optionalNotices)[number]

/** The mails with a link, and usually a code, which prove that a person can read the mailbox. */
export const proofMailKinds = [
  'password_reset',
  'email_verification',
  'registration',
  'email_change',
  'email_changed',
  'first_factor_added',
  'invitation',
] as const
export type ProofMailKind = (typeof proofMailKinds)[number]

/** The mails with a code, and no link, for a login. */
export const codeMailKinds = ['enrolment_code'] as const
export type CodeMailKind = (typeof codeMailKinds)[number]

export const mailKinds: readonly (NoticeKind | ProofMailKind | CodeMailKind)[] = [
  ...noticeKinds,
  ...proofMailKinds,
  ...codeMailKinds,
]

/** The values for the text of a mail. A stranger who causes the mail chooses only the language. */
interface MailValues {
  /**
   * The id of the user: the claim `sub` of the user's tokens. In `registration` and `invitation`,
   * the id that the account will have.
   */
  readonly subject: string
  /** The app that has the account: `appName`, or the host of the issuer. */
  readonly service: string
  readonly at: Date
  /** The language that the browser of the person prefers, or the value of `mailLanguage`. */
  readonly language: Language
}

/** The values for the text of a notice. */
export interface Notice extends MailValues {
  readonly address: string | undefined
}

/** The values for the text of a mail with a link. */
export interface ProofMail extends MailValues {
  /** The link to the page that confirms the request. It works once. */
  readonly link: string
  /**
   * Eight digits. A user who reads the mail on another device can type them instead of opening the
   * link. Undefined if the mail has only a link.
   */
  readonly code: string | undefined
  readonly expiresAt: Date
}

/** The values for the text of a mail with a code and no link. */
export interface CodeMail extends Omit<ProofMail, 'link' | 'code'> {
  /** Eight digits, which the user types where the login goes on. It works once. */
  readonly code: string
}

export interface MailContent {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** The app's own functions that write mails, instead of Keystile's texts. */
export type MailTemplates = {
  readonly [Kind in NoticeKind]?: (notice: Notice) => MailContent | Promise<MailContent>
} & {
  readonly [Kind in ProofMailKind]?: (mail: ProofMail) => MailContent | Promise<MailContent>
} & {
  readonly [Kind in CodeMailKind]?: (mail: CodeMail) => MailContent | Promise<MailContent>
}
