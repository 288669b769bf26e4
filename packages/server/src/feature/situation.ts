import { isLoopback, isOnThisMachine } from '../base/this-machine.ts'
import type { DatabaseFacts } from '../storage/facts.ts'
import type { Wording } from './wording.ts'

/**
 * What safety rules look at.
 *
 * @typeParam Options the options of `createKeystile`, none of them required
 */
export interface Situation<Options> {
  /** The options as they were given, without those whose form is wrong. */
  readonly options: Options
  /** The names of the options that were given and whose form is wrong. */
  readonly unread: ReadonlySet<string>
  /**
   * What is wrong with the form of settings. Only `keystile doctor` fills it in: a start reports it
   * anyway.
   */
  readonly faults?: readonly string[]
  /** What the stand-alone server listens on; unknown to an embedded one. */
  readonly bind?: Bind | undefined
  /** The paths of the files that secrets were read from. */
  readonly secretFiles?: readonly string[]
  readonly machine?: Machine
  /** How findings name settings. Default: as an app does. */
  readonly say?: Wording
}

export interface Bind {
  readonly host: string
  /** Whether the issuer was given, rather than derived from the port. */
  readonly isIssuerSaid: boolean
}

/** What is found outside of the options. */
export interface Machine {
  /** Such as `24.15.0`. */
  readonly nodeVersion: string
  /** The time by the clock. */
  readonly now: number
  /** The file beside SQLite that seals the signing keys, where it exists and is used. */
  readonly keyFile: (FileFacts & { readonly secret: string | undefined }) | undefined
  /** The files that secrets were read from, such as that of `KEYSTILE_KEY_FILE`. */
  readonly secretFiles: readonly FileFacts[]
  /** The files of a SQLite database that exist. */
  readonly databaseFiles: readonly FileFacts[]
  /** `undefined` where there is none yet. */
  readonly database:
    | (DatabaseFacts & StoredFacts)
    | { readonly kind: 'unavailable'; readonly reason: string }
    | undefined
}

/** What features find in a database. */
export interface StoredFacts {
  /** The issuer for which it was first started. */
  readonly issuer: string | undefined
  /** The instant of the newest line of the audit record. */
  readonly latest?: number | undefined
}

export interface FileFacts {
  readonly path: string
  /** Its permission bits; `undefined` on Windows, where they say nothing. */
  readonly mode: number | undefined
  readonly modifiedAt: number
}

/** Whether other machines can reach the server, by its issuer or by what it listens on. */
export function isPublic({
  bind,
  options: { issuer = '' },
}: Situation<{ readonly issuer?: string | undefined }>): boolean {
  const isBound = bind !== undefined && !isLoopback(bind.host)
  return isBound || (URL.canParse(issuer) && !isOnThisMachine(issuer))
}

/** Returns the files that others than their owner may read or write. */
export function openFiles(files: readonly FileFacts[]): readonly FileFacts[] {
  return files.filter(({ mode = 0 }) => isOpenToOthers(mode))
}

/** Whether others than the owner of a file may read or write it. */
export function isOpenToOthers(mode: number): boolean {
  return (mode & 0o077) !== 0
}
