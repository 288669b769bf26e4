import type * as z from 'zod'
import { appWording, type Wording, type WordedValue } from './wording.ts'

/** One setting, and all that is known of it before it is read. `N`: its name, `T`: its value. */
export interface Setting<N extends string = string, T = unknown> {
  /** Its name as an option of `createKeystile` and in a configuration file. */
  readonly name: N
  /** Who takes it: `createKeystile`, the stand-alone server, or both. */
  readonly takenBy: 'app' | 'server' | 'both'
  /**
   * The form of its value. A message is a sentence without its subject: "must be true or false".
   */
  readonly schema: z.ZodType<T>
  /** The value of a setting that is not given. */
  readonly default?: T
  /** What help says of the default where that is no plain value. */
  readonly defaultText?: string
  /** The default of the stand-alone server, for a setting that an app must give. */
  standAloneDefault?(values: Values): T
  readonly unit?: 'seconds' | 'characters'
  /** One sentence for help and documentation, without a full stop. */
  readonly help: string
  /**
   * Environment variables, the first that is set wins. Without any, only a file or an app can hold
   * the setting.
   */
  readonly environment?: readonly string[]
  /**
   * The flag without `--`, where that is not the name with hyphens. `false`: arguments of a process
   * are no place for it.
   */
  readonly flag?: string | false
  /**
   * Whether messages must not show it. With variables, it may also lie in a file that `…_FILE`
   * names.
   */
  readonly isSecret?: boolean
  /**
   * Whether its text is the path of a file that holds the secret. Then there is no `…_FILE`
   * besides.
   */
  readonly isSecretFile?: boolean
  /**
   * Returns the value of a text. The text itself is the value without this. @throws {TypeError}
   * saying what must be
   */
  parse?(text: string): T
  /** Returns the text of a value: what `parse` reads. */
  format?(value: T): string
  /** The setting beside which this one must be left out. */
  readonly excludedBy?: string
  /** Returns the faults that the schema cannot say, as sentences without their subject. */
  findFaults?(value: T, others: Others, say: Wording): readonly string[]
}

/** A setting that always has a value. */
export type DefaultedSetting<N extends string, T> = Setting<N, T> & { readonly default: T }

/**
 * The record of each option of an interface: it has the option's name, and its values are the
 * option's.
 */
export type SettingsOf<Options> = {
  readonly [N in keyof Options & string]-?: Setting<N, Exclude<Options[N], undefined>>
}

/** The settings behind an interface of options. */
export type SettingList<Options> = readonly Setting<keyof Options & string>[]

/**
 * Lists the settings behind an interface of options, in this order. Compiles only if each option
 * has its record.
 */
export function listSettings<Options>(settings: SettingsOf<Options>): SettingList<Options> {
  return Object.values(settings)
}

/** Values by the names of their settings. */
export type Values = Readonly<Record<string, unknown>>

/** The settings that were given. */
export interface Others {
  /** The values that have the right form. */
  readonly values: Values
  /** The names of the settings whose value has not. */
  readonly unread: ReadonlySet<string>
}

/** Where a value of the stand-alone server came from, as its operator wrote it. */
export interface Source {
  readonly kind: 'flag' | 'variable' | 'file'
  /** Such as `--key`, `KEYSTILE_KEY_FILE`, or `key` in a file. */
  readonly name: string
}

/** The flag with its hyphens, `undefined` where there is none. */
export function flagOf({ name, flag, environment }: Setting): string | undefined {
  if (environment === undefined || flag === false) return undefined
  return `--${flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The variable that names a file with the value of a secret, `undefined` where there is none. */
export function fileVariableOf(
  { isSecret, isSecretFile }: Setting,
  variable: string,
): string | undefined {
  return isSecret && !isSecretFile ? `${variable}_FILE` : undefined
}

/** The default as help shows it, `undefined` where there is none. */
export function describeDefault(setting: Setting): string | undefined {
  if (setting.defaultText !== undefined) return setting.defaultText
  return setting.default === undefined
    ? undefined
    : formatValue(setting, setting.default as WordedValue)
}

/** The text that stands for a value in the environment and on the command line. */
export function formatValue<T>(
  { format }: Setting<string, T>,
  value: T & (WordedValue | object),
): string {
  if (format) return format(value)
  return Array.isArray(value) ? value.join(',') || 'none' : String(value)
}

/** The wording for operators: each setting is named as it was given, else by its variable. */
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
        : `set ${variable}, or name a file that holds it with ${fileVariable}`
    },
  }
}
