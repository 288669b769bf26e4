// What each file in texts/ must have: the texts of the mails and of the pages in one language.
import type { PasswordFault } from '../../credentials/password-policy/policy.ts'
import type { NoticeKind, ProofMailKind } from './message.ts'

export interface Texts {
  readonly notices: Readonly<Record<NoticeKind, (values: NoticeValues) => MailText>>
  /** The last paragraph of each notice. */
  readonly automatic: string
  readonly linkMails: Readonly<Record<LinkMailKind, (service: string) => LinkText>>
  /** A notice with a link: it restores the old address. */
  readonly email_changed: (values: UndoValues) => MailText
  /** The terms of a link and a code, and of a link alone. */
  readonly both: Terms
  readonly linkOnly: Terms
  readonly pages: PageTexts
}

/** One or more sentences, or a link or a code in a paragraph of its own. */
export type Paragraph = string | { readonly link: string } | { readonly code: string }

export type MailText = readonly [subject: string, ...paragraphs: Paragraph[]]

export interface NoticeValues {
  readonly service: string
  /** The time of the change, with its time zone. */
  readonly time: string
  readonly address: string | undefined
}

export type LinkMailKind = Exclude<ProofMailKind, 'email_changed'>

export interface LinkText {
  readonly subject: string
  readonly beforeLink: string
  /** Undefined if the mail has only a link. */
  readonly beforeCode?: string
  readonly ifNotYou: string
}

export interface UndoValues {
  readonly service: string
  readonly link: string
  /** How long the link works, such as `15 minutes`. */
  readonly lifetime: string
  /** When the link expires, with its time zone. */
  readonly until: string
}

export interface Terms {
  /** Says how often and how long the link and the code work, and when they expire. */
  readonly works: (lifetime: string, until: string) => string
  readonly keepSecret: string
}

export interface PageTexts {
  readonly login: string
  readonly password: string
  readonly newPassword: string
  readonly newPasswordLength: (minLength: number) => string
  readonly newPasswordAdvice: string
  readonly username: string
  readonly usernameHint: string
  readonly otherUsername: string
  readonly otherUsernameHint: string
  readonly code: string
  readonly codeHint: string
  readonly yes: string
  readonly no: string
  readonly noToken: string
  /** The name of the app follows. */
  readonly continueTo: string
  readonly usedLink: { readonly heading: string; readonly reason: string }
  readonly unavailablePage: {
    readonly heading: string
    /** After the person has opened a page. */
    readonly opened: string
    /** After the person has sent a form. The address of the page may lack the token of the form. */
    readonly sent: string
    readonly again: string
  }
  readonly faults: {
    readonly wrongPassword: string
    readonly wrongCode: string
    /** Before a rule of the password policy, or of another field, in English. */
    readonly otherPassword: string
    readonly input: string
    readonly tooMany: string
    readonly unavailable: string
  }
  /** Undefined in English: the password policy has these texts. */
  readonly passwordFaults?: Readonly<Record<PasswordFault['code'], string>>
  /** The start page in production, and the page for unknown paths. */
  readonly start: Titled
  readonly notFound: Titled & { readonly toStart: string }
  readonly forgot: Omit<FormTexts, 'done' | 'used'> & { readonly intro: string }
  readonly sent: { readonly heading: string; readonly intro: string }
  readonly reset: FormTexts & { readonly noToken: string; readonly again: string }
  readonly verify: FormTexts & { readonly intro: string }
  readonly finish: FormTexts & {
    readonly intro: string
    readonly usernameTaken: string
    readonly emailTaken: string
  }
  readonly change: FormTexts & { readonly intro: string; readonly refused: string }
  readonly undo: FormTexts & { readonly intro: string }
  readonly accept: FormTexts & { readonly intro: string; readonly taken: string }
}

interface Titled {
  readonly heading: string
  readonly text: string
}

export interface FormTexts {
  readonly heading: string
  readonly button: string
  readonly done: Titled
  /** What to do if the link was used or has expired. */
  readonly used: string
}
