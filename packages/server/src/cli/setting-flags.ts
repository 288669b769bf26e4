// The flags and variables of settings, for the parser, the help and the completion of shells.
import { describeDefault, fileVariableOf, flagOf, type Setting } from '../feature/setting.ts'
import { serverSettings } from '../server/features.ts'

/**
 * The settings that only a configuration file can give, because a string cannot express their
 * values.
 */
const fileOnly = serverSettings.filter(({ environment }) => environment === undefined)

export interface FlagDoc {
  /** The flag with its hyphens. `undefined` if the setting has no flag. */
  readonly flag: string | undefined
  readonly environment: readonly string[]
  readonly summary: string
}

/** The flags for settings. Every command that reads settings accepts all these flags. */
export const settingFlags: readonly FlagDoc[] = [
  ...serverSettings.flatMap((setting) =>
    setting.environment ? [documentSetting(setting, setting.environment)] : [],
  ),
  {
    flag: '--config',
    environment: [],
    summary:
      `a file with settings, also with ${fileOnly.map(({ name }) => name).join(', ')}; ` +
      'default: keystile.config.ts or .json',
  },
]

function documentSetting(setting: Setting, environment: readonly string[]): FlagDoc {
  const byDefault = describeDefault(setting)
  return {
    flag: flagOf(setting),
    environment: environment.map((variable) =>
      fileVariableOf(setting, variable) === undefined ? variable : `${variable}[_FILE]`,
    ),
    summary: byDefault === undefined ? setting.help : `${setting.help}; default: ${byDefault}`,
  }
}
