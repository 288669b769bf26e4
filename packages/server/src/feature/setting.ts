import type * as z from 'zod'
import type { WordedValue, Wording } from './wording.ts'

/**
 * A setting. Parsing, defaults, help, messages and docs/reference/settings.md are all derived from
 * this record.
 *
 * @typeParam N the name
 * @typeParam T the type of the value
 */
export interface Setting<N extends string = string, T = unknown> {
  /** The name as an option of `createKeystile` and in a configuration file. */
  readonly name: N
  /** Who reads the setting: `createKeystile` (`app`), the stand-alone server, or both. */
  readonly takenBy: 'app' | 'server' | 'both'
  /** Checks the value. Its messages are sentences without a subject: "must be true or false". */
  readonly schema: z.ZodType<T>
  readonly default?: T
  /** How the help describes the default, if the default is not a plain value. */
  readonly defaultText?: string
  /**
   * Returns the default of the stand-alone server. If the setting has no `default`, an app must
   * give it. `values` has the given settings, and the defaults of those that an app cannot give.
   */
  standAloneDefault?(values: Values): T
  readonly unit?: 'seconds' | 'characters'
  /** One sentence for help and documentation, without a full stop. */
  readonly help: string
  /**
   * The setting's environment variables. The first variable that is set wins. If there are no
   * variables, only a configuration file or an app can give the setting.
   */
  readonly environment?: readonly string[]
  /**
   * The name of the flag, without `--`. Default: the setting's name, with hyphens between
   * lower-case words. `false`: the setting has no flag, because the value is secret, and other
   * users of the machine can read the arguments of a process.
   */
  readonly flag?: string | false
  /**
   * Whether the value is a secret, which messages must not show. If such a setting has environment
   * variables, the value can also come from a file: the variable whose name ends with `_FILE` holds
   * the path of the file.
   */
  readonly isSecret?: boolean
  /**
   * Whether this value of a secret setting has a secret, so that its file must be private. Default:
   * every value has one.
   */
  holdsSecret?(value: T): boolean
  /**
   * Whether the value is the path of a file, and the secret is in this file. Such a setting has no
   * `…_FILE` variable.
   */
  readonly isSecretFile?: boolean
  /**
   * Parses the string from a flag or a variable. Without this function, the string itself is the
   * value.
   *
   * @throws {TypeError} with a sentence without a subject, such as "must be true or false"
   */
  parse?(text: string): T
  /** The reverse of `parse`: turns the value into a string for a flag or a variable. */
  format?(value: T): string
  /** The name of another setting: only one of the two settings may be given. */
  readonly excludedBy?: string
  /** Returns faults that the schema cannot find, as sentences without a subject. */
  findFaults?(value: T, others: Others, say: Wording): readonly string[]
}

export type DefaultedSetting<N extends string, T> = Setting<N, T> & { readonly default: T }

/** One record for each option of an interface, with the name and the type of that option. */
export type SettingsOf<Options> = {
  readonly [N in keyof Options & string]-?: Setting<N, Exclude<Options[N], undefined>>
}

export type SettingList<Options> = readonly Setting<keyof Options & string>[]

/**
 * Turns an object with one setting for each option into a list of the settings, in the same order.
 * The compiler refuses an object that lacks an option of the interface `Options`.
 */
export function listSettings<Options>(settings: SettingsOf<Options>): SettingList<Options> {
  return Object.values(settings)
}

/** The values of settings, by name. */
export type Values = Readonly<Record<string, unknown>>

/** All given settings, for `findFaults()`: a fault of one setting may depend on other settings. */
export interface Others {
  /** The values that are valid. */
  readonly values: Values
  /** The names of the settings whose values are not valid. */
  readonly unread: ReadonlySet<string>
}

/** Returns the flag with its hyphens, or `undefined` when the setting has no flag. */
export function flagOf({ name, flag, environment }: Setting): string | undefined {
  if (environment === undefined || flag === false) return undefined
  return `--${flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/**
 * Returns the name of the `…_FILE` variable of a setting. This variable holds the path of a file
 * with the secret. Returns undefined if the setting has no such variable.
 */
export function fileVariableOf(
  { isSecret, isSecretFile }: Setting,
  variable: string,
): string | undefined {
  return isSecret && !isSecretFile ? `${variable}_FILE` : undefined
}

/** Returns the default as the help shows it, or `undefined` when there is none. */
export function describeDefault(setting: Setting): string | undefined {
  if (setting.defaultText !== undefined) return setting.defaultText
  return setting.default === undefined
    ? undefined
    : formatValue(setting, setting.default as WordedValue)
}

/** Returns a value as the string for a flag or a variable. */
export function formatValue<T>(
  { format }: Setting<string, T>,
  value: T & (WordedValue | object),
): string {
  if (format) return format(value)
  return Array.isArray(value) ? value.join(',') || 'none' : String(value)
}
