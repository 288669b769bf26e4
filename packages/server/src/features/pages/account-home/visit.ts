// What each page of the account gets: who visits it, and what it can do for this person.
import type { HttpAnswer } from 'keystile/internal'
import type { AccountHomeTexts } from '../../mail/messages/account-text-types.ts'
import type { ProfileFields } from '../account-pages/profile-fields.ts'
import type { PageReader } from '../account-pages/reader.ts'
import type { OwnEndpoints } from './endpoints.ts'
import type { Kept } from './kept.ts'

/** A person who uses the page, and what the pages show of the settings. */
export interface Visit extends OwnEndpoints {
  readonly reader: PageReader
  /** The time of the visit, in milliseconds. */
  readonly now: number
  /** The path of the page, such as `/auth/account`. */
  readonly home: string
  /** The parameters of the address. */
  readonly query: URLSearchParams
  /** The name by which the person knows the account. */
  readonly account: string
  /** Logs the browser out that gets this answer. */
  loggedOut(answer: HttpAnswer): HttpAnswer
  /** Returns the new address that a link confirms, if it is a link of this person that works. */
  newAddressOf(token: string): Promise<string | undefined>
  /** What this browser keeps of a change that takes several pages. */
  readonly kept: Kept
  /** Returns a value of `Set-Cookie` with which the forms that were drawn so far do not work. */
  endForms(): string
  /** Whether the login of the browser has a second factor. */
  readonly hasFactor: boolean
  /** Whether the user must have a second factor. */
  readonly needsFactor: boolean
  /** Replaces the login, after a first app was set up in it: see `replaceLogin`. */
  replaceLogin(): Promise<readonly string[]>
  /** Returns a value of `Set-Cookie` that lets the page of the account say what is done. */
  say(done: Done): string
  readonly settings: AccountSettings
}

export interface AccountSettings {
  readonly profile: ProfileFields
  readonly minLength: number
  /** Whether users may set up an authenticator app. */
  readonly offersApp: boolean
  /** Whether a login may ask for no code, on a device that the person has chosen. */
  readonly remembersDevices: boolean
  /** How an authenticator app names the service. */
  readonly service: string
}

/** What a person has done. The page of the account says it. */
export type Done = keyof AccountHomeTexts['done']
