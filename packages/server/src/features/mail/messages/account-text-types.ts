import type { Named, Titled } from './named-texts.ts'

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
