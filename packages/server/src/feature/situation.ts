import { isLoopback, isOnThisMachine } from '../base/this-machine.ts'
import type { DatabaseFacts } from '../storage/database-facts.ts'
import type { FileFacts } from './file-facts.ts'
import type { Wording } from './wording.ts'

/**
 * Everything that safety rules check: the options, the place where the server listens, and the
 * machine.
 *
 * @typeParam Options the options of `createKeystile()`. Each of them is optional.
 */
export interface Situation<Options> {
  readonly options: Options
  /** The names of the options that were given and are not valid. */
  readonly unread: ReadonlySet<string>
  /**
   * The faults of settings that are not valid. Only `keystile doctor` sets this member: a start
   * reports such faults before it applies the rules.
   */
  readonly faults?: readonly string[]
  /**
   * The place where the stand-alone server listens. Undefined for Keystile inside an app, because
   * the app itself listens.
   */
  readonly bind?: Bind | undefined
  readonly secretFiles?: readonly string[]
  /** The names of the settings that were given as flags, which other users of the machine see. */
  readonly flags?: ReadonlySet<string>
  /** The state of the machine. Only a start and `keystile doctor` read it. */
  readonly machine?: Machine
  /** How a finding refers to a setting. Default: as an option of `createKeystile()`. */
  readonly say?: Wording
}

export interface Bind {
  readonly host: string
  /** Whether the operator has given the setting `issuer`. */
  readonly isIssuerGiven: boolean
}

/** The state of the machine, as `configuration/machine.ts` has read it. */
export interface Machine {
  readonly nodeVersion: string
  /** The time of the machine's clock, in milliseconds since 1970. */
  readonly now: number
  /**
   * The key file in the folder of the SQLite database. Its key encrypts the signing keys. Undefined
   * if no such file is used.
   */
  readonly keyFile: (FileFacts & { readonly secret: string | undefined }) | undefined
  /** The files from which secrets were read, such as the file that `KEYSTILE_KEY_FILE` names. */
  readonly secretFiles: readonly FileFacts[]
  /** The existing files of a SQLite database. */
  readonly databaseFiles: readonly FileFacts[]
  /** The folder of a SQLite database, if other users may replace the files in it. */
  readonly openFolder?: string | undefined
  /**
   * The type of the file system with a SQLite database, as `statfs` returns it on Linux. Undefined
   * on systems other than Linux, or if there is no SQLite file.
   */
  readonly databaseFileSystem?: number | undefined
  /** The database, or `undefined` if there is no database yet. */
  readonly database: DatabaseState | undefined
  /** The mail server. Only `keystile doctor` connects to it. */
  readonly mailServer?: MailServerFacts | undefined
}

/** What is known of the database, or why it cannot be opened. */
export type DatabaseState =
  | (DatabaseFacts & StoredFacts)
  | { readonly kind: 'unavailable'; readonly reason: string; readonly fix?: string | undefined }

/** A mail server, and why it cannot be used. */
export interface MailServerFacts {
  readonly host: string
  readonly port: number
  /** Undefined if the server accepts the connection and the login. */
  readonly fault: { readonly cause: string; readonly fix: string } | undefined
}

/** What is stored in a database that can be opened. */
export interface StoredFacts {
  /** The issuer with which Keystile first started on this database. */
  readonly issuer: string | undefined
  /** The newest signing key, encrypted. Undefined before the first start. */
  readonly sealedKey?: SealedKey | undefined
  /**
   * When the next signing key is to be published. Undefined if there is a next key already, or if
   * there is no key.
   */
  readonly nextKeyDueAt?: number | undefined
  /**
   * Whether the database has a value that the current key cannot decrypt. Undefined if there is no
   * `previousKey`, or if the current key is not known.
   */
  readonly needsPreviousKey?: boolean | undefined
  /**
   * How many authenticator apps were checked, and how many of them neither the current key nor
   * `previousKey` can decrypt. Undefined if a key that may be given is not known.
   */
  readonly apps?: { readonly checked: number; readonly unreadable: number } | undefined
  /** The time of the newest entry of the audit record. */
  readonly latest?: number | undefined
  /** The number of mails that could not be sent and are not tried again. */
  readonly deadMails?: number
  /** The number of durable events that the app has not handled within seven days. */
  readonly deadEvents?: number
}

export interface SealedKey {
  readonly id: string
  readonly algorithm: string
  readonly sealed: string
}

/**
 * Whether other machines can reach the server: true if the server listens on a network, or if its
 * issuer is a URL of another machine.
 */
export function isPublic({
  bind,
  options: { issuer = '' },
}: Situation<{ readonly issuer?: string | undefined }>): boolean {
  const isBound = bind !== undefined && !isLoopback(bind.host)
  return isBound || (URL.canParse(issuer) && !isOnThisMachine(issuer))
}
