import { resolve } from 'node:path'
import { findNearest, listKnown } from 'keystile/internal'
import { fileVariableOf, flagOf, type Setting, type Values } from '../feature/setting.ts'
import { show } from '../feature/shown-value.ts'
import type { Source } from '../feature/stand-alone-wording.ts'
import { serverSettings } from '../server/features.ts'
import { mayExist } from '../storage/source.ts'
import { isOfService } from './kubernetes.ts'
import { readSecretFile } from './secret-file.ts'
import { readSettingsFile } from './settings-file.ts'

const prefix = 'KEYSTILE_'
const whereTheListIs = '"keystile help" lists the settings'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The values of settings, gathered from the file, the environment and the flags. They are not
 * checked yet.
 */
export interface Gathered {
  readonly values: Values
  /** Maps each setting's name to the place from which its value came. */
  readonly sources: ReadonlyMap<string, Source>
  readonly faults: readonly string[]
  /** The files with a secret, which must be private. */
  readonly secretFiles: readonly string[]
  /** The names of the settings that were given but could not be read. */
  readonly unread: ReadonlySet<string>
  /** The environment variables that were ignored, because Kubernetes sets them. */
  readonly ignored: readonly string[]
}

/**
 * Collects the settings. Flags win over the environment, and the environment wins over the file.
 */
export async function gather(flags: Values, environment: Environment): Promise<Gathered> {
  const found = startGathering()
  await readConfigurationFile(flags['config'], found)
  readEnvironment(environment, found)
  readFlags(flags, found)
  return found
}

/** `Gathered`, while each source adds to it. */
type Gathering = ReturnType<typeof startGathering>

function startGathering() {
  const values: Record<string, unknown> = {}
  const [faults, secretFiles, ignored]: [string[], string[], string[]] = [[], [], []]
  const sources = new Map<string, Source>()
  return { values, sources, faults, secretFiles, unread: new Set<string>(), ignored }
}

async function readConfigurationFile(named: unknown, found: Gathering): Promise<void> {
  const candidates =
    typeof named === 'string' ? [named] : ['keystile.config.ts', 'keystile.config.json']
  const file = candidates.map((path) => resolve(path)).find(mayExist)
  if (file === undefined) {
    if (typeof named === 'string')
      found.faults.push(`--config must name a file; ${named} does not exist. Fix: correct the path`)
    return
  }

  const content = await readSettingsFile(file, found.faults)
  if (content) takeContent(content, file, found)
}

function takeContent(content: object, file: string, found: Gathering): void {
  const names = serverSettings.map(({ name }) => name)
  for (const [name, value] of Object.entries(content)) {
    if (!names.includes(name)) {
      const known = listKnown(findNearest(name, names), whereTheListIs)
      found.faults.push(`${file}: ${show(name)} is not a setting; ${known}`)
      continue
    }
    found.values[name] = value
    found.sources.set(name, { kind: 'file', name })
  }

  const settings = serverSettings.filter(({ name }) => Object.hasOwn(content, name))
  if (settings.some((setting) => holdsSecret(setting, found.values[setting.name])))
    found.secretFiles.push(file)
}

/** Whether the file that a value came from has a secret because of this value. */
function holdsSecret({ isSecret = false, ...setting }: Setting, value: unknown): boolean {
  return isSecret && (setting.holdsSecret?.(value) ?? true)
}

function readEnvironment(given: Environment, found: Gathering): void {
  found.ignored.push(...Object.keys(given).filter((name) => isOfService(name, given[name])))
  const own = Object.entries(given).filter(([name]) => !found.ignored.includes(name))
  const environment: Environment = Object.fromEntries(own)

  for (const setting of serverSettings) {
    for (const variable of setting.environment ?? [])
      if (readVariable(setting, variable, environment, found)) break
  }
  reportUnknown(Object.keys(environment), found)
}

/** A misspelled name must not be ignored: the setting would keep its default without a warning. */
function reportUnknown(variables: readonly string[], found: Gathering): void {
  const known = serverSettings.flatMap(variablesOf).filter((name) => name.startsWith(prefix))
  // The prefix is the same in all names, so it must not make two names similar.
  const withoutPrefix = (name: string): string => name.slice(prefix.length)

  for (const variable of variables) {
    // The tests of Keystile have variables with the prefix KEYSTILE_TEST_.
    const isOurs = variable.startsWith(prefix) && !variable.startsWith(`${prefix}TEST_`)
    if (!isOurs || known.includes(variable)) continue

    const nearest = findNearest(withoutPrefix(variable), known.map(withoutPrefix))
    const settings = listKnown(nearest && prefix + nearest, whereTheListIs)
    found.faults.push(`${variable} is not a setting; ${settings}`)
  }
}

/** Returns all environment variables of a setting, including its `…_FILE` variables. */
function variablesOf(setting: Setting): readonly string[] {
  return (setting.environment ?? []).flatMap((variable) =>
    [variable, fileVariableOf(setting, variable)].filter((name) => name !== undefined),
  )
}

/**
 * Reads a setting from an environment variable, or from the file that the `…_FILE` variable names.
 * Returns whether there was a valid value.
 */
function readVariable(
  setting: Setting,
  variable: string,
  environment: Environment,
  found: Gathering,
): boolean {
  const text = environment[variable]
  const fileVariable = fileVariableOf(setting, variable)
  const path = fileVariable && environment[fileVariable]
  if (text && path)
    found.faults.push(
      `${variable} must not be set together with ${fileVariable}. Fix: remove one of the two`,
    )
  if (text) return take(setting, text, { kind: 'variable', name: variable }, found)
  if (!fileVariable || !path) return false

  const secret = readSecretFile(fileVariable, path, found.faults)
  if (secret === undefined) {
    found.unread.add(setting.name)
    return false
  }
  if (secret === '') return false

  if (holdsSecret(setting, secret)) found.secretFiles.push(path)
  return take(setting, secret, { kind: 'variable', name: fileVariable }, found)
}

function readFlags(flags: Values, found: Gathering): void {
  for (const setting of serverSettings) {
    const flag = flagOf(setting)
    const text = flag && flags[flag.slice('--'.length)]
    if (flag && typeof text === 'string') take(setting, text, { kind: 'flag', name: flag }, found)
  }
}

/** Parses a string and stores the value. Returns whether the string was valid. */
function take(setting: Setting, text: string, source: Source, found: Gathering): boolean {
  try {
    found.values[setting.name] = setting.parse ? setting.parse(text) : text
    found.sources.set(setting.name, source)
    if (setting.isSecretFile) found.secretFiles.push(text)
    return true
  } catch (error) {
    found.unread.add(setting.name)
    const shown = setting.isSecret ? '' : `; it is ${show(text)}`
    found.faults.push(`${source.name} ${(error as Error).message}${shown}`)
    return false
  }
}
