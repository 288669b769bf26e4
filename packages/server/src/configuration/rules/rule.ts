import type { Wording } from '../../feature/wording.ts'
import type { DatabaseFacts } from '../../storage/facts.ts'
import type { AccountOptions } from '../../features/accounts/settings.ts'
import type { BrowserSessionOptions } from '../../features/browser-session/settings.ts'
import type { LimitOptions } from '../../features/limits/settings.ts'
import type { PasswordPolicyOptions } from '../../features/password-policy/settings.ts'
import type { PasswordOptions } from '../../features/password/settings.ts'
import type { SessionOptions } from '../../features/sessions/settings.ts'
import type { SigningKeyOptions } from '../../features/signing-keys/settings.ts'
import type { HttpOptions, IssuerOptions } from '../settings.ts'

/** One rule of safety. The start, `keystile config check` and `keystile doctor` share the list of them. */
export interface Rule {
  readonly id: string
  /** Where it is demanded. */
  readonly standard: string
  /** Whether a start is refused, or the log told. */
  readonly severity: 'stop' | 'warn'
  /** What it demands, as the documents say it. */
  readonly demand: string
  /** What is wrong, without any secret; `undefined` where what it needs was not looked up. */
  find(situation: Situation, say: Wording): readonly Fault[] | undefined
}

export interface Fault {
  /** The setting as it was given, the file or the thing that the message is a sentence about. */
  readonly about: string
  readonly message: string
  /** The line that mends it. */
  readonly mend: string
}

/** What rules look at. */
export interface Situation {
  /** The options as they were given, without those whose shape is wrong. */
  readonly options: RuleOptions
  /** The options that were given and whose shape is wrong. */
  readonly unread: ReadonlySet<string>
  /** What is wrong with the shape of the settings; looked up by `keystile doctor` alone, for a start tells it anyway. */
  readonly faults?: readonly string[]
  /** What the stand-alone server listens on; an embedded one does not know. */
  readonly bind?: Bind | undefined
  /** The paths of the files that secrets were read from. */
  readonly secretFiles?: readonly string[]
  readonly machine?: Machine
  /** How findings name settings; left out: as an app does. */
  readonly say?: Wording
}

export interface Bind {
  readonly host: string
  /** Whether the issuer was said, and is not the one that is made of the port. */
  readonly isIssuerSaid: boolean
}

/** The options that rules look at; of `users`, only whether they are given. */
export type RuleOptions = { readonly [N in keyof Looked]?: Looked[N] | undefined } & { readonly users?: unknown }
type Looked = IssuerOptions &
  HttpOptions &
  SigningKeyOptions &
  SessionOptions &
  BrowserSessionOptions &
  AccountOptions<object> &
  PasswordPolicyOptions &
  PasswordOptions &
  LimitOptions

/** What is found outside of the options. */
export interface Machine {
  /** Such as `24.15.0`. */
  readonly nodeVersion: string
  /** What the clock says. */
  readonly now: number
  /** The file beside SQLite that seals the signing keys, where it is there and used. */
  readonly keyFile: (FileFacts & { readonly secret: string | undefined }) | undefined
  /** The files that secrets were read from, such as that of `KEYSTILE_KEY_FILE`. */
  readonly secretFiles: readonly FileFacts[]
  /** The files of a SQLite database that are there. */
  readonly databaseFiles: readonly FileFacts[]
  /** `undefined` where there is none yet. */
  readonly database:
    | (DatabaseFacts & StoredFacts)
    | { readonly kind: 'unavailable'; readonly reason: string }
    | undefined
}

/** What features find in a database. */
export interface StoredFacts {
  /** The issuer that it was first started for. */
  readonly issuer: string | undefined
  /** The instant of the newest line of the audit record. */
  readonly latest?: number | undefined
}

export interface FileFacts {
  readonly path: string
  /** Its permission bits; on Windows they say nothing. */
  readonly mode: number | undefined
  readonly modifiedAt: number
}
