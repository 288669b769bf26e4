// What each file in texts/ must have, in one language: the texts of the mails
// (`mail-text-types.ts`) and of the pages. The pages of the login and of the account have files of
// their own.
import type { LayoutWords } from '../../../pages/layout.ts'
import type { PasswordFault } from '../../credentials/password-policy/policy.ts'
import type { AccountHomeTexts } from './account-text-types.ts'
import type { LoginPageTexts, RegisterTexts } from './login-text-types.ts'
import type { MailTexts } from './mail-text-types.ts'
import type { Titled } from './titled.ts'

export interface Texts extends MailTexts {
  readonly pages: PageTexts
}

/** The texts of a page that a link in a mail opens, with a form that confirms something. */
export interface FormTexts {
  readonly heading: string
  readonly button: string
  readonly done: Titled
  /** What to do if the link was used or has expired. */
  readonly used: string
}

interface FormWithIntro extends FormTexts {
  readonly intro: string
}

export interface PageTexts extends FieldTexts {
  readonly layout: LayoutWords
  /** The link to the app. The name of the app follows. */
  readonly continueTo: string
  /** The page of a link whose token is missing. */
  readonly noToken: string
  readonly usedLink: { readonly heading: string; readonly reason: string }
  readonly unavailablePage: {
    readonly heading: string
    /** Is said if the person has opened a page. */
    readonly opened: string
    /** Is said if the person has sent a form. The address may lack the token of the form. */
    readonly sent: string
    readonly again: string
  }
  readonly refusalPage: {
    readonly refused: Titled
    readonly broken: Titled
    /** Comes before a sentence in English. */
    readonly details: string
  }
  readonly faults: FaultTexts
  /** Undefined in English: the password policy has these texts. */
  readonly passwordFaults?: Readonly<Record<PasswordFault['code'], string>>
  /** The start page in production. */
  readonly start: Titled & {
    /** Is said if people log in at Keystile's own pages. */
    readonly own: string
  }
  /** The page for unknown paths. */
  readonly notFound: Titled & { readonly toStart: string }
  readonly forgot: {
    readonly heading: string
    readonly intro: string
    readonly button: string
  }
  /** The page after `forgot`. */
  readonly sent: {
    readonly heading: string
    readonly intro: string
    /** A part in brackets is a link. */
    readonly advice: string
  }
  readonly reset: ResetTexts
  readonly verify: FormWithIntro
  readonly finish: FormWithIntro & {
    readonly wrongPassword: string
    readonly usernameTaken: string
    readonly emailTaken: string
  }
  readonly change: FormWithIntro & {
    readonly refused: string
    readonly factorMissing: string
    readonly factorInLogin: string
  }
  readonly undo: FormWithIntro
  readonly undoFactor: FormWithIntro
  readonly accept: FormWithIntro & { readonly taken: string }
  readonly register: RegisterTexts
  /** What a person accepts who creates an account. The parts in brackets are links. */
  readonly acceptance: {
    readonly both: string
    readonly terms: string
    readonly privacy: string
    readonly missing: string
  }
  readonly loginPage: LoginPageTexts
  readonly accountHome: AccountHomeTexts
}

/** The names and the hints of fields that several pages have. */
interface FieldTexts {
  readonly login: string
  readonly password: string
  readonly newPassword: string
  readonly newPasswordLength: (minLength: number) => string
  readonly newPasswordAdvice: string
  readonly username: string
  readonly usernameHint: string
  readonly otherUsername: string
  readonly code: string
  readonly codeHint: string
  readonly yes: string
  readonly no: string
}

interface FaultTexts {
  readonly wrongPassword: string
  readonly wrongCode: string
  /** Comes before a rule of the password policy, in English. */
  readonly otherPassword: string
  /** Comes before a rule of another field, in English. */
  readonly input: string
  readonly unavailable: string
  /** `wait` is a time such as `36 minutes`. */
  readonly tooMany: (wait: string) => string
}

interface ResetTexts extends FormTexts {
  readonly noToken: string
  readonly again: string
  /** Is said after `done`, if devices can be remembered. */
  readonly codesAgain: string
}
