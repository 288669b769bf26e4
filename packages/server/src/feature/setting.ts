import type * as z from 'zod'
import { appWording, type Wording, type WordedValue } from './wording.ts'

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

export type Values = Readonly<Record<string, unknown>>

/** All given settings, for `findFaults()`: a fault of one setting may depend on other settings. */
export interface Others {
  /** The values that are valid. */
  readonly values: Values
  /** The names of the settings whose values are not valid. */
  readonly unread: ReadonlySet<string>
}

export interface Source {
  readonly kind: 'flag' | 'variable' | 'file'
  /** The name as the operator wrote it: `--key`, `KEYSTILE_KEY_FILE`, or `key` in a file. */
  readonly name: string
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

export function formatValue<T>(
  { format }: Setting<string, T>,
  value: T & (WordedValue | object),
): string {
  if (format) return format(value)
  return Array.isArray(value) ? value.join(',') || 'none' : String(value)
}

/**
 * Returns the wording for operators of the stand-alone server. It names a setting as the operator
 * gave it. A setting that was not given is named by its environment variable.
 *
 * @param sources maps each setting's name to the place from which its value came
 */
export function standAloneWording(
  settings: readonly Setting[],
  sources: ReadonlyMap<string, Source> = new Map(),
): Wording {
  const find = (name: string): Setting | undefined =>
    settings.find((setting) => setting.name === name)
  const variableOf = (name: string): string | undefined => find(name)?.environment?.[0]
  return {
    name: (name) => sources.get(name)?.name ?? variableOf(name) ?? name,
    set(name, value) {
      const setting = find(name)
      const source = sources.get(name)
      const variable = variableOf(name)
      if (!setting || variable === undefined || source?.kind === 'file')
        return appWording.set(name, value)
      const target = source?.kind === 'flag' ? source.name : variable
      return `set ${target}=${formatValue(setting, value)}`
    },
    provide(name) {
      const variable = variableOf(name)
      const setting = find(name)
      if (!setting || variable === undefined) return `write ${name} into the configuration file`
      const fileVariable = fileVariableOf(setting, variable)
      return fileVariable === undefined
        ? `set ${variable}`
        : `set ${variable}, or set ${fileVariable} to the path of a file with the value`
    },
  }
}
