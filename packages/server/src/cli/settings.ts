import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { randomId } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import {
  cannotStart,
  optionNames,
  readOptions,
  readSituation as readOptionSituation,
  type CheckedOptions,
  type Surroundings,
} from '../configuration/options.ts'
import type { Situation } from '../configuration/rules/rule.ts'
import type { Binding } from '../listener/server.ts'
import { isLoopback, isOnThisMachine } from '../configuration/this-machine.ts'
import { hostsOf, isPort, readMetrics } from './binding.ts'
import { logLevels } from './log.ts'
import { readSecretFile } from './secret-files.ts'
import { flagOf, settings, type Setting } from './setting-list.ts'

/** Settings that only a file can hold: they are no plain text. */
const fileOnly = ['scopes', 'roles', 'defaultScopes', 'profile']
const names = [...settings.map((setting) => setting.name), ...fileOnly]

const defaultDatabase = 'data/keystile.db'
const defaultPort = 8000

/** A flag with its value, as the help shows it. */
export interface FlagDoc {
  readonly flag: string
  readonly environment: readonly string[]
  readonly summary: string
}

/** The flags of every command that reads settings; those without a name are for the environment alone. */
export const settingFlags: readonly FlagDoc[] = [
  ...settings.map((setting) => ({
    flag: setting.isHidden ? '' : flagOf(setting),
    environment: setting.environment.map((variable) => (setting.isSecret ? `${variable}[_FILE]` : variable)),
    summary: setting.summary,
  })),
  {
    flag: 'config',
    environment: [],
    summary: `a file of settings, ${fileOnly.join(', ')} among them; keystile.config.ts or .json unless said`,
  },
]

export interface Settings {
  readonly options: CheckedOptions
  readonly hosts: readonly string[]
  readonly port: number
  readonly logFile: string | undefined
  readonly logLevel: (typeof logLevels)[number]
  readonly accessLog: boolean
  /** Where `/metrics` is answered, if anywhere: `own` is the server's own port. */
  readonly metrics: Binding | 'own' | undefined
}

/**
 * Puts the settings together: flags win over the environment, which wins over the file, which wins over the defaults.
 *
 * @param flags values by flag, as `parseArgs` gives them
 * @param needsKey whether signing keys will be opened; where they are not, nothing need be said of what seals them
 * @throws {ConfigurationError} with all faults, a line each
 */
export async function readSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  needsKey: boolean,
): Promise<Settings> {
  const { values, faults, surroundings, server } = await gather(flags, environment)
  const read = readOptions(needsKey ? values : { key: unusedKey, ...values }, surroundings)
  const all = [...faults, ...read.faults.map(({ option, message }) => `${option} ${message}`)]
  if (all.length > 0 || !read.options) throw new ConfigurationError(cannotStart(all))
  return { options: read.options, ...server }
}

/** What the rules of safety look at, with all faults in it; nothing is thrown. */
export async function readSituation(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Situation> {
  const { values, faults, surroundings } = await gather(flags, environment)
  const { faults: optionFaults, situation } = readOptionSituation(values, surroundings)
  return { ...situation, faults: [...faults, ...optionFaults.map(({ option, message }) => `${option} ${message}`)] }
}

interface Gathered {
  /** The options of `createKeystile` among the settings. */
  readonly values: Readonly<Record<string, unknown>>
  readonly faults: readonly string[]
  readonly surroundings: Surroundings
  readonly server: Omit<Settings, 'options'>
}

async function gather(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Gathered> {
  const faults: string[] = []
  const sources: Sources = { faults, secretFiles: [] }
  const values = {
    ...(await readFile(flags['config'], sources)),
    ...readEnvironment(environment, sources),
    ...readFlags(flags, sources),
  }
  const {
    host = 'localhost',
    port = defaultPort,
    logFile,
    logLevel = 'info',
    accessLog = 'off',
  } = values as { host?: string; port?: number; logFile?: string; logLevel?: Settings['logLevel']; accessLog?: string }
  if (typeof host !== 'string') faults.push('host is a name or an address')
  if (!isPort(port)) faults.push('port is a whole number from 1 to 65535')
  if (logFile !== undefined && typeof logFile !== 'string') faults.push('logFile is a path')
  if (!logLevels.includes(logLevel)) faults.push('logLevel is debug, info, warn or error')
  if (accessLog !== 'on' && accessLog !== 'off') faults.push('accessLog is on or off')
  const all: Readonly<Record<string, unknown>> = {
    database: defaultDatabase,
    issuer: `http://localhost:${isPort(port) ? port : defaultPort}`,
    ...values,
  }
  // A server of this machine with an issuer elsewhere is behind a proxy, which may pass on whatever it is asked for.
  const isPrivate = typeof host === 'string' && isLoopback(host) && isOnThisMachine(String(all['issuer']))
  const metrics = readMetrics(values['metrics'] ?? (isPrivate ? 'on' : 'off'), faults)
  return {
    // What has no name among the options was reported above.
    values: Object.fromEntries(Object.entries(all).filter(([name]) => optionNames.includes(name))),
    faults,
    surroundings: {
      bind: typeof host === 'string' ? { host, isIssuerSaid: values['issuer'] !== undefined } : undefined,
      secretFiles: sources.secretFiles,
    },
    server: { hosts: hostsOf(host), port, logFile, logLevel, accessLog: accessLog === 'on', metrics },
  }
}

/** Stands where a command opens no signing key, so that the operator need not give one. */
const unusedKey = randomId() + randomId()

/** What reading the settings found beside their values. */
interface Sources {
  readonly faults: string[]
  /** Files that secrets were read from. */
  readonly secretFiles: string[]
}

async function readFile(named: unknown, { faults, secretFiles }: Sources): Promise<Readonly<Record<string, unknown>>> {
  const candidates = typeof named === 'string' ? [named] : ['keystile.config.ts', 'keystile.config.json']
  const file = candidates.map((path) => resolve(path)).find((path) => existsSync(path))
  if (file === undefined) {
    if (typeof named === 'string') faults.push(`config: there is no file ${named}`)
    return {}
  }
  try {
    const content: unknown = file.endsWith('.json')
      ? JSON.parse(readFileSync(file, 'utf8'))
      : (await import(pathToFileURL(file).href)).default
    if (typeof content !== 'object' || content === null)
      throw new TypeError('it has no object of settings as its content or default export')
    for (const name of Object.keys(content))
      if (!names.includes(name)) faults.push(`${file}: ${name} is no setting; there are ${names.join(', ')}`)
    if (settings.some(({ name, isSecret }) => isSecret && Object.hasOwn(content, name))) secretFiles.push(file)
    return content as Readonly<Record<string, unknown>>
  } catch (error) {
    faults.push(`${file} cannot be read: ${(error as Error).message}`)
    return {}
  }
}

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  sources: Sources,
): Readonly<Record<string, unknown>> {
  const { faults, secretFiles } = sources
  const values: Record<string, unknown> = {}
  const known = new Set<string>()
  for (const setting of settings) {
    for (const variable of setting.environment) {
      known.add(variable)
      const fileVariable = setting.isSecret ? `${variable}_FILE` : undefined
      if (fileVariable) known.add(fileVariable)
      if (setting.name in values) continue
      const path = environment[variable] ? undefined : fileVariable && environment[fileVariable]
      const found = fileVariable && path ? readSecretFile(fileVariable, path, faults) : environment[variable]
      if (!found) continue
      if (path) secretFiles.push(path)
      take(values, setting, found, variable, sources)
    }
  }
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('KEYSTILE_') && !variable.startsWith('KEYSTILE_TEST_') && !known.has(variable)) {
      faults.push(
        `${variable} is no setting; there are ${[...known].filter((name) => name.startsWith('KEYSTILE_')).join(', ')}`,
      )
    }
  }
  return values
}

function readFlags(flags: Readonly<Record<string, unknown>>, sources: Sources): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const setting of settings) {
    const found = setting.isHidden ? undefined : flags[flagOf(setting)]
    if (typeof found === 'string') take(values, setting, found, `--${flagOf(setting)}`, sources)
  }
  return values
}

function take(
  values: Record<string, unknown>,
  setting: Setting,
  value: string,
  where: string,
  { faults, secretFiles }: Sources,
): void {
  try {
    values[setting.name] = setting.parse(value)
    if (setting.isSecretFile) secretFiles.push(value)
  } catch (error) {
    faults.push(`${where} ${(error as Error).message}`)
  }
}
