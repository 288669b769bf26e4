import { kindOf } from 'keystile/internal'
import type * as z from 'zod'
import type { Others, Setting, Values } from '../feature/setting.ts'
import { show } from '../feature/shown-value.ts'
import type { Wording } from '../feature/wording.ts'

/** A fault of a setting. `subject` and `message` form one sentence. */
export interface SettingFault {
  /**
   * The name of the setting, as it was given. If only a part of the value has the fault, the path
   * to this part follows: `corsOrigins.0`.
   */
  readonly subject: string
  readonly message: string
}

/** The result of `checkSettings`. */
export interface Checked {
  /** The values that are valid. */
  readonly values: Values
  /** The names of the settings that were given and are not valid. */
  readonly unread: ReadonlySet<string>
  readonly faults: readonly SettingFault[]
}

/**
 * Checks each value separately, and then the combinations of values. Returns all faults together,
 * so that they can all be fixed before the next start. Does NOT report unknown settings.
 */
export function checkSettings(settings: readonly Setting[], input: Values, say: Wording): Checked {
  const values: Record<string, unknown> = {}
  const unread = new Set<string>()
  const faults: SettingFault[] = []

  for (const setting of settings) {
    const given = input[setting.name]
    if (given === undefined) {
      faults.push(...findMissing(setting, say))
      continue
    }

    const result = setting.schema.safeParse(given)
    if (result.success) {
      values[setting.name] = result.data
    } else {
      unread.add(setting.name)
      faults.push(...describeIssues(result.error.issues, { setting, given, say }))
    }
  }

  const further = settings.flatMap((setting) => findFurtherFaults(setting, { values, unread }, say))
  return { values, unread, faults: [...faults, ...further] }
}

function findMissing(setting: Setting, say: Wording): readonly SettingFault[] {
  if (!isRequired(setting)) return []
  return [{ subject: say.name(setting.name), message: `must be given: ${setting.help}` }]
}

/** Returns the faults that the schema has found in the value of a setting. */
function describeIssues(
  issues: readonly Pick<z.core.$ZodIssue, 'path' | 'message'>[],
  from: { readonly setting: Setting; readonly given: unknown; readonly say: Wording },
): readonly SettingFault[] {
  const { setting, given, say } = from
  return issues.map(({ path, message }) => ({
    subject: [say.name(setting.name), ...path].join('.'),
    message: path.length === 0 ? message + shownValue(setting, given) : message,
  }))
}

/** Returns the faults that a schema cannot find, such as those of a combination of settings. */
function findFurtherFaults(
  setting: Setting,
  others: Others,
  say: Wording,
): readonly SettingFault[] {
  const { name, excludedBy } = setting
  const value = others.values[name]
  if (value === undefined) return []

  const isExcluded = excludedBy !== undefined && others.values[excludedBy] !== undefined
  const messages = [
    ...(isExcluded ? [excludedMessage(excludedBy, say)] : []),
    ...(setting.findFaults?.(value, others, say) ?? []),
  ]
  return messages.map((message) => ({ subject: say.name(name), message }))
}

/**
 * Whether an app must give the setting. Such a setting has a default only in the stand-alone
 * server.
 */
function isRequired({ default: value, standAloneDefault }: Setting): boolean {
  return value === undefined && standAloneDefault !== undefined
}

/** Returns the values, with the defaults of the settings that have no value. */
export function withDefaults(settings: readonly Setting[], values: Values): Values {
  const defaults = settings.map((setting) => [setting.name, setting.default] as const)
  return { ...Object.fromEntries(defaults), ...values }
}

/**
 * Returns the last part of an error message, such as `; it is 5`. If the value is an object or a
 * list, the message shows only its type. If the value is a secret, returns an empty string.
 */
function shownValue({ isSecret }: Setting, value: unknown): string {
  if (isSecret) return ''
  const isPlain = typeof value === 'string' || typeof value === 'boolean'
  return `; it is ${isPlain ? show(value) : kindOf(value)}`
}

function excludedMessage(excludedBy: string, say: Wording): string {
  return (
    `must be left out if ${say.name(excludedBy)} is given: ` +
    "it is only for Keystile's own accounts"
  )
}
