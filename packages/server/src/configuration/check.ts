import type { Setting, Values } from '../feature/setting.ts'
import { show, type Wording } from '../feature/wording.ts'

/** A fault of a setting, as a sentence without its subject. */
export interface SettingFault {
  /** The setting as it was given, with the path inside its value. */
  readonly subject: string
  readonly message: string
}

/** What was given, checked. */
export interface Checked {
  /** The values that have the right form. */
  readonly values: Values
  /** The names of the settings whose value has not. */
  readonly unread: ReadonlySet<string>
  readonly faults: readonly SettingFault[]
}

/**
 * Checks the form of each value, so that one fault hides no other, and then what takes several to
 * see.
 */
export function checkSettings(settings: readonly Setting[], input: Values, say: Wording): Checked {
  const values: Record<string, unknown> = {}
  const unread = new Set<string>()
  const faults: SettingFault[] = []

  for (const setting of settings) {
    const given = input[setting.name]
    if (given === undefined) {
      if (!isRequired(setting)) continue
      unread.add(setting.name)
      faults.push({ subject: say.name(setting.name), message: `must be given: ${setting.help}` })
      continue
    }
    const result = setting.schema.safeParse(given)
    if (result.success) {
      values[setting.name] = result.data
      continue
    }
    unread.add(setting.name)
    for (const { path, message } of result.error.issues) {
      const subject = [say.name(setting.name), ...path].join('.')
      faults.push({
        subject,
        message: path.length === 0 ? message + shownValue(setting, given) : message,
      })
    }
  }

  for (const setting of settings) {
    const value = values[setting.name]
    if (value === undefined) continue
    const messages = [
      ...findExclusion(setting, values, say),
      ...(setting.findFaults?.(value, { values, unread }, say) ?? []),
    ]
    faults.push(...messages.map((message) => ({ subject: say.name(setting.name), message })))
  }
  return { values, unread, faults }
}

/** Whether an app must give it. */
function isRequired({ standAloneDefault }: Setting): boolean {
  return standAloneDefault !== undefined
}

/** The values, and the defaults of what was not given. */
export function withDefaults(settings: readonly Setting[], values: Values): Values {
  const defaults = settings.map((setting) => [setting.name, setting.default] as const)
  return { ...Object.fromEntries(defaults), ...values }
}

/** What came instead, where that is short and no secret. */
function shownValue({ isSecret }: Setting, value: unknown): string {
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value)
  return isPlain && !isSecret ? `; it is ${show(value)}` : ''
}

function findExclusion({ excludedBy }: Setting, values: Values, say: Wording): readonly string[] {
  return excludedBy !== undefined && values[excludedBy] !== undefined
    ? [`must be left out beside ${say.name(excludedBy)}: it is for Keystile's own accounts`]
    : []
}
