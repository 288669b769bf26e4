// What each file in texts/ must have, in one language: the texts of the mails
// (`mail-text-types.ts`) and of the pages. The pages of a login and of the account have files of
// their own.
import type { LayoutWords } from '../../../pages/layout.ts'
import type { PasswordFault } from '../../credentials/password-policy/policy.ts'
import type { AccountHomeTexts } from './account-text-types.ts'
import type { LoginPageTexts, RegisterTexts } from './login-text-types.ts'
import type { MailTexts } from './mail-text-types.ts'
import type { Named, Titled } from './named-texts.ts'

export interface Texts extends MailTexts {
  readonly pages: PageTexts
}

/** The texts of a page that a link in a mail opens, with a form that confirms something. */
export interface FormTexts extends Named<'heading' | 'button'> {
  readonly done: Titled
  /** What to do if the link was used or has expired. */
  readonly used: string
}

/** The names and hints of fields, and links. The name of the app follows `continueTo`. */
type Label =
  | ('login' | 'password' | 'newPassword' | 'newPasswordAdvice' | 'username' | 'usernameHint')
  | ('otherUsername' | 'code' | 'codeHint' | 'yes' | 'no')
  | ('noToken' | 'continueTo')

export interface PageTexts extends Named<Label> {
  readonly layout: LayoutWords
  readonly newPasswordLength: (minLength: number) => string
  readonly usedLink: Named<'heading' | 'reason'>
  /**
   * `opened`: the person has opened a page. `sent`: the person has sent a form; the address of the
   * page may lack the token of the form.
   */
  readonly unavailablePage: Named<'heading' | 'opened' | 'sent' | 'again'>
  /** `details` comes before a sentence in English. */
  readonly refusalPage: {
    readonly refused: Titled
    readonly broken: Titled
    readonly details: string
  }
  /**
   * `otherPassword` and `input` come before a rule of the password policy, or of another field, in
   * English.
   */
  readonly faults: Named<
    'wrongPassword' | 'wrongCode' | 'otherPassword' | 'input' | 'unavailable'
  > & {
    /** `wait` is a time such as `36 minutes`. */
    readonly tooMany: (wait: string) => string
  }
  /** Undefined in English: the password policy has these texts. */
  readonly passwordFaults?: Named<PasswordFault['code']>
  /**
   * The start page in production, and the page for unknown paths. `own` stands on the start page if
   * people log in at Keystile's own pages.
   */
  readonly start: Titled & Named<'own'>
  readonly notFound: Titled & Named<'toStart'>
  readonly forgot: Named<'heading' | 'intro' | 'button'>
  /** A part of `advice` in brackets is a link. */
  readonly sent: Named<'heading' | 'intro' | 'advice'>
  /** `codesAgain` is said after `done`, if devices can be remembered. */
  readonly reset: FormTexts & Named<'noToken' | 'again' | 'codesAgain'>
  readonly verify: FormTexts & { readonly intro: string }
  readonly finish: FormTexts & Named<'intro' | 'wrongPassword' | 'usernameTaken' | 'emailTaken'>
  readonly change: FormTexts & Named<'intro' | 'refused' | 'factorMissing' | 'factorInLogin'>
  readonly undo: FormTexts & { readonly intro: string }
  readonly undoFactor: FormTexts & { readonly intro: string }
  readonly accept: FormTexts & { readonly intro: string; readonly taken: string }
  readonly register: RegisterTexts
  /** What a person accepts who creates an account. The parts in brackets are links. */
  readonly acceptance: Named<'both' | 'terms' | 'privacy' | 'missing'>
  readonly loginPage: LoginPageTexts
  readonly accountHome: AccountHomeTexts
}
