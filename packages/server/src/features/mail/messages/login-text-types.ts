// The texts of the pages on which people register, log in and log out.
import type { Named, Titled } from './named-texts.ts'

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
