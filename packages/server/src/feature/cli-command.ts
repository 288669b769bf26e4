import type { Clock } from 'keystile/internal'
import type { Database } from '../storage/database.ts'
import type { OfUser } from './of-user.ts'
import type { Terminal } from './terminal.ts'

/**
 * The description of a command-line command, without its code. Help and shell completion are
 * generated from it.
 *
 * @typeParam C the type of call that the command's code gets
 */
export interface CliCommand<C> {
  /** The words that call the command, such as `user` and `create`. */
  readonly words: readonly [string, string?]
  /**
   * How the help names the operand of the command, such as `FILE`. A command with this member
   * requires the operand.
   */
  readonly operand?: string
  readonly flags?: Readonly<Record<string, CliFlag>>
  /**
   * Whether the command reads settings and accepts their flags. `withoutKey`: the command reads
   * settings but opens no signing key, so the operator need not give the secret that encrypts the
   * signing keys.
   */
  readonly takesSettings: boolean | 'withoutKey'
  readonly summary: string
  /**
   * Loads the code of the command with `import(…)`. So other commands start faster: they do not
   * load this code.
   */
  readonly load: () => Promise<(call: C) => void | Promise<void>>
}

export interface CliFlag {
  /** The name of the flag's value in the help. Without a name, the flag takes no value. */
  readonly value?: string
  /** Whether the flag may be repeated. */
  readonly isList?: boolean
}

/** What the code of a command gets. */
export interface Call<Options> {
  readonly operand: string
  readonly flags: CallFlags
  readonly terminal: Terminal
  readonly clock: Clock
  /** What all features store about users. */
  readonly ofUser: readonly OfUser[]
  /** Reads the settings. @throws {ConfigurationError} with all faults of the settings */
  settings(): Promise<{ readonly options: Options }>
  /**
   * Opens a database: the SQLite file `file` or, without `file`, the database of the settings.
   * Calls `work` with the database and then closes the database. A server may use the same database
   * at the same time.
   *
   * @throws {ConfigurationError} if the database does not exist and `mayCreate` is not true. A
   *   mistyped path must not create a new database without users
   */
  withDatabase(
    work: (database: Database) => Promise<void>,
    options?: { readonly mayCreate?: boolean; readonly file?: string },
  ): Promise<void>
}

/** Reads the flags of a call. `flag` is the name of a flag without its two hyphens. */
export interface CallFlags {
  has(flag: string): boolean
  value(flag: string): string | undefined
  list(flag: string): readonly string[]
}
