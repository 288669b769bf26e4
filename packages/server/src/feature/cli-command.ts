import type { Clock } from 'keystile/internal'
import type { Database } from '../storage/database.ts'
import type { Terminal } from './terminal.ts'

/**
 * A command of the command line, described without its code. Help and completion are made from
 * these.
 *
 * @typeParam C the call that it takes
 */
export interface CliCommand<C> {
  readonly words: readonly [string, string?]
  /** The operand that it must have. */
  readonly operand?: string
  readonly flags?: Readonly<Record<string, CliFlag>>
  /**
   * Whether settings are read, and their flags taken; `withoutKey` where no signing key is opened.
   */
  readonly takesSettings: boolean | 'withoutKey'
  readonly summary: string
  /** Loads its code by `import(…)`, so that the code is loaded only when the command is called. */
  readonly load: () => Promise<(call: C) => void | Promise<void>>
}

/** A flag of one command. */
export interface CliFlag {
  /** What its value is called in the help; without one it takes none. */
  readonly value?: string
  /** It may be given several times. */
  readonly isList?: boolean
}

/**
 * A command as it was called.
 *
 * @typeParam Options the options that it asks for
 */
export interface Call<Options> {
  readonly operand: string
  readonly flags: CallFlags
  readonly terminal: Terminal
  readonly clock: Clock
  /** @throws {ConfigurationError} with all faults of the settings */
  settings(): Promise<{ readonly options: Options }>
  /**
   * Opens the database of the settings, works on it and closes it, beside a running server or
   * without one.
   *
   * @throws {ConfigurationError} where there is no database, unless `mayCreate`: a mistyped path
   *   would make a new one, in which nobody is found
   */
  withDatabase(
    work: (database: Database) => Promise<void>,
    options?: { readonly mayCreate: boolean },
  ): Promise<void>
}

export interface CallFlags {
  has(flag: string): boolean
  value(flag: string): string | undefined
  list(flag: string): readonly string[]
}
