// What each file in texts/ must have, in one language: the texts of the mails
// (`mail-text-types.ts`) and of the pages.
import type { PasswordFault } from '../../credentials/password-policy/policy.ts'
import type { LayoutWords } from '../../../pages/layout.ts'
import type { MailTexts } from './mail-text-types.ts'

export interface Texts extends MailTexts {
  readonly pages: PageTexts
}

/** Texts under their names. */
type Named<Name extends string> = Readonly<Record<Name, string>>

/** A page or a part of one that says only one thing. */
type Titled = Named<'heading' | 'text'>

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

/** The texts of the page of a registration. The parts in brackets are links. */
export interface RegisterTexts extends Named<
  'link' | 'heading' | 'haveOne' | 'emailHint' | 'usernameTaken' | 'emailTaken' | 'button'
> {
  /** The next page, if the address must be confirmed. */
  readonly sent: Named<'heading' | 'button' | 'noMail' | 'advice' | 'linkUsed' | 'passwordHint'> & {
    readonly intro: (address: string) => string
  }
  /** What the page of the login says after the code. */
  readonly ready: string
}

/** The texts of the pages of a login. The name of the app follows `toAccount`. */
export interface LoginPageTexts extends Named<
  | ('heading' | 'toAccount' | 'button' | 'back' | 'notYou')
  | ('ended' | 'wrong' | 'wrongCode' | 'wrongRecoveryCode')
> {
  /** Is said after too many passwords, about the name that was not typed. */
  readonly meanwhile: Named<'byUsername' | 'byEmail' | 'byMail'>
  /** `other` is the link to the other field. */
  readonly factor: Named<'heading' | 'intro' | 'label' | 'button' | 'other'> & {
    /** The label of a box to tick. It is one day at least. */
    readonly remember: (days: number) => string
  }
  /** `meanwhile` is said after too many codes of the app. */
  readonly recovery: Named<
    'heading' | 'intro' | 'label' | 'hint' | 'button' | 'other' | 'meanwhile'
  >
  /** `account` is said before the name of the account. */
  readonly again: Named<'heading' | 'intro' | 'account' | 'button'>
  readonly mailbox: Named<'heading' | 'intro'>
  readonly enrol: Named<
    | ('heading' | 'intro' | 'next' | 'getApp' | 'anyApp' | 'scan')
    | ('open' | 'orType' | 'enterCode' | 'wrongCode' | 'button')
  >
  /** `once` stands in the file with the codes. */
  readonly codes: Named<'heading' | 'intro' | 'save' | 'keep' | 'saved' | 'once' | 'button'>
  readonly expired: Named<'heading' | 'text' | 'button'>
  /** A login ends after several wrong codes. `newest` is said about codes of the app. */
  readonly wrongCodes: Titled & Named<'newest'>
  readonly cookiesOff: Titled
  /** The account needs a login method that the pages do not know. */
  readonly elsewhere: Titled
  readonly logout: Named<'heading' | 'intro' | 'button' | 'again'> & { readonly done: Titled }
}

/** The texts of the page of an account, and of the pages to which it leads. */
export interface AccountHomeTexts extends Named<
  'heading' | 'sections' | 'logOut' | 'back' | 'change' | 'currentPassword' | 'othersEnd'
> {
  /** What the person has done. */
  readonly done: Named<
    | 'profile'
    | 'email'
    | 'verified'
    | 'password'
    | 'app'
    | 'appRemoved'
    | 'codes'
    | 'device'
    | 'devices'
  >
  readonly profile: Named<'title' | 'hint' | 'button'>
  /** `waits`, `enterCode` and `another` are about a new address whose code was not entered yet. */
  readonly email: Named<
    | ('title' | 'confirmed' | 'unconfirmed' | 'none' | 'heading' | 'intro' | 'label' | 'button')
    | ('invalid' | 'taken' | 'wrongLink' | 'waits' | 'enterCode' | 'another')
  > & { readonly confirms: (address: string) => string }
  /** Confirms the address that the account has. `sent`: a code is on its way, also to a new one. */
  readonly verification: Named<'heading' | 'send'> & {
    readonly intro: (address: string) => string
    readonly sent: Named<'heading' | 'button'> & { readonly intro: (address: string) => string }
  }
  readonly signIn: Named<'title' | 'hint'>
  readonly password: Named<'heading' | 'intro' | 'button'>
  readonly app: Named<'title' | 'on' | 'off' | 'setUp' | 'replace' | 'remove' | 'replaces'> &
    Named<'replacing' | 'again' | 'otherPicture' | 'addressFirst' | 'gone'> & {
      readonly since: (time: string) => string
      /** Is said to a person who wants to remove an app, or new codes, and has none. */
      readonly missing: Titled
      /** No app waits for its code, and there is one. */
      readonly isSetUp: { readonly heading: string; readonly text: (time: string) => string }
      readonly removal: Named<
        'heading' | 'passwordOnly' | 'codesEnd' | 'button' | 'replace' | 'required'
      >
    }
  /** The part of `unsaved` in brackets is a link. */
  readonly codes: Named<'title' | 'renew' | 'heading' | 'oldEnd' | 'button' | 'unsaved'> & {
    readonly left: (count: number) => string
    readonly made: (time: string) => string
    /** Is said after a login with a recovery code, before `left`. `lost` follows, with a link. */
    readonly used: string
    readonly lost: string
  }
  readonly devices: Named<
    | ('title' | 'hint' | 'thisDevice' | 'unknown' | 'unknownBrowser' | 'end' | 'endOthers')
    | ('heading' | 'thisStays' | 'button')
  > & {
    readonly name: (browser: string, system: string) => string
    readonly lastUsed: (time: string) => string
  }
  readonly deletion: Named<
    | ('title' | 'hint' | 'text' | 'open' | 'heading' | 'loggedOut' | 'erased' | 'final')
    | ('button' | 'keep' | 'lastAdministrator')
  > & { readonly done: Titled }
}
