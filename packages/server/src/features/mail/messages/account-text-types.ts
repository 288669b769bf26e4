// The texts of the page of an account, and of the pages to which it leads, in one language.
import type { Titled } from './titled.ts'

export interface AccountHomeTexts {
  readonly heading: string
  readonly sections: string
  readonly logOut: string
  readonly back: string
  readonly change: string
  readonly currentPassword: string
  readonly othersEnd: string
  /** What the person has done. */
  readonly done: {
    readonly profile: string
    readonly email: string
    readonly verified: string
    readonly password: string
    readonly app: string
    readonly appRemoved: string
    readonly codes: string
    readonly device: string
    readonly devices: string
  }
  readonly profile: { readonly title: string; readonly hint: string; readonly button: string }
  readonly email: EmailTexts
  readonly verification: VerificationTexts
  readonly signIn: { readonly title: string; readonly hint: string }
  readonly password: { readonly heading: string; readonly intro: string; readonly button: string }
  readonly app: AppTexts
  readonly codes: RecoveryCodesTexts
  readonly devices: DevicesTexts
  readonly deletion: DeletionTexts
}

interface EmailTexts {
  readonly title: string
  readonly confirmed: string
  readonly unconfirmed: string
  readonly none: string
  readonly heading: string
  readonly intro: string
  readonly label: string
  readonly button: string
  readonly invalid: string
  readonly taken: string
  readonly wrongLink: string
  /** Is said while the code of a new address was not entered yet, as `enterCode` and `another`. */
  readonly waits: string
  readonly enterCode: string
  readonly another: string
  readonly confirms: (address: string) => string
}

/** The texts of the page that confirms the address that the account has. */
interface VerificationTexts {
  readonly heading: string
  readonly intro: (address: string) => string
  readonly send: string
  /** A code is on its way, also to a new address. */
  readonly sent: {
    readonly heading: string
    readonly intro: (address: string) => string
    readonly button: string
  }
}

/** The texts about the authenticator app. */
interface AppTexts {
  readonly title: string
  readonly on: string
  readonly off: string
  readonly since: (time: string) => string
  readonly setUp: string
  readonly replace: string
  readonly replaces: string
  readonly replacing: string
  readonly remove: string
  readonly again: string
  readonly otherPicture: string
  readonly addressFirst: string
  readonly gone: string
  /** Is said to a person who wants to remove an app, or new codes, and has none. */
  readonly missing: Titled
  /** No app waits for its code, and there is one. */
  readonly isSetUp: { readonly heading: string; readonly text: (time: string) => string }
  readonly removal: {
    readonly heading: string
    readonly passwordOnly: string
    readonly codesEnd: string
    readonly button: string
    readonly replace: string
    readonly required: string
  }
}

interface RecoveryCodesTexts {
  readonly title: string
  readonly renew: string
  readonly heading: string
  readonly oldEnd: string
  readonly button: string
  /** The part in brackets is a link. */
  readonly unsaved: string
  readonly left: (count: number) => string
  readonly made: (time: string) => string
  /** Is said after a login with a recovery code, before `left`. */
  readonly used: string
  /** Follows `left`, with a link. */
  readonly lost: string
}

interface DevicesTexts {
  readonly title: string
  readonly hint: string
  readonly name: (browser: string, system: string) => string
  readonly lastUsed: (time: string) => string
  readonly thisDevice: string
  readonly unknown: string
  readonly unknownBrowser: string
  readonly end: string
  readonly endOthers: string
  readonly heading: string
  readonly thisStays: string
  readonly button: string
}

interface DeletionTexts {
  readonly title: string
  readonly hint: string
  readonly text: string
  readonly open: string
  readonly heading: string
  readonly loggedOut: string
  readonly erased: string
  readonly final: string
  readonly button: string
  readonly keep: string
  readonly lastAdministrator: string
  readonly done: Titled
}
