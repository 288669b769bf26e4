// The texts of the pages on which people register and log in, in one language.
import type { Titled } from './titled.ts'

/** The texts of the page of a registration. The parts in brackets are links. */
export interface RegisterTexts {
  readonly link: string
  readonly heading: string
  readonly haveOne: string
  readonly emailHint: string
  readonly usernameTaken: string
  readonly emailTaken: string
  readonly button: string
  /** The next page, if the address must be confirmed. */
  readonly sent: {
    readonly heading: string
    readonly intro: (address: string) => string
    readonly button: string
    readonly noMail: string
    readonly advice: string
    readonly linkUsed: string
    readonly passwordHint: string
  }
  /** What the page of the login says after the code. */
  readonly ready: string
}

/** The texts of the pages of a login. */
export interface LoginPageTexts {
  readonly heading: string
  /** The name of the app follows. */
  readonly toAccount: string
  readonly button: string
  readonly back: string
  readonly notYou: string
  readonly ended: string
  readonly wrong: string
  readonly wrongCode: string
  readonly wrongRecoveryCode: string
  /** Is said after too many passwords, about the name that was not typed. */
  readonly meanwhile: {
    readonly byUsername: string
    readonly byEmail: string
    readonly byMail: string
  }
  /** The field for a code of the app. */
  readonly factor: {
    readonly heading: string
    readonly intro: string
    readonly label: string
    readonly button: string
    /** The link to the field for a recovery code. */
    readonly other: string
    /** The label of a box to tick. It is one day at least. */
    readonly remember: (days: number) => string
  }
  /** The field for a recovery code. */
  readonly recovery: {
    readonly heading: string
    readonly intro: string
    readonly label: string
    readonly hint: string
    readonly button: string
    /** The link to the field for a code of the app. */
    readonly other: string
    /** Is said after too many codes of the app. */
    readonly meanwhile: string
  }
  /** The page that asks for the password again. */
  readonly again: {
    readonly heading: string
    readonly intro: string
    /** Is said before the name of the account. */
    readonly account: string
    readonly button: string
  }
  readonly mailbox: { readonly heading: string; readonly intro: string }
  readonly enrol: EnrolTexts
  /** The page with new recovery codes. */
  readonly codes: {
    readonly heading: string
    readonly intro: string
    readonly save: string
    readonly keep: string
    readonly saved: string
    /** Stands in the file with the codes. */
    readonly once: string
    readonly button: string
  }
  readonly expired: Titled & { readonly button: string }
  /** A login ends after several wrong codes. */
  readonly wrongCodes: Titled & {
    /** Is said about codes of the app. */
    readonly newest: string
  }
  readonly cookiesOff: Titled
  /** The account needs a login method that the pages do not know. */
  readonly elsewhere: Titled
  readonly logout: {
    readonly heading: string
    readonly intro: string
    readonly button: string
    readonly again: string
    readonly done: Titled
  }
}

/** The texts of the page that sets up an authenticator app. */
interface EnrolTexts {
  readonly heading: string
  readonly intro: string
  readonly next: string
  readonly getApp: string
  readonly anyApp: string
  readonly scan: string
  readonly open: string
  readonly orType: string
  readonly enterCode: string
  readonly wrongCode: string
  readonly button: string
}
