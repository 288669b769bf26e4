import { fileVariableOf, formatValue, type Setting } from './setting.ts'
import { appWording, type Wording } from './wording.ts'

/** The place from which the value of a setting came. */
export interface Source {
  readonly kind: 'flag' | 'variable' | 'file'
  /** The name as the operator wrote it: `--key`, `KEYSTILE_KEY_FILE`, or `key` in a file. */
  readonly name: string
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
