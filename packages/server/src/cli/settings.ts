import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Jwk } from 'keystile/jwt'
import { checkOptions, findOptionFaults, isLoopback, optionNames, type CheckedOptions } from '../server/options.ts'

/** One setting of the stand-alone server, wherever it may come from. */
interface Setting {
  /** Its name in a configuration file, and as an option of `createKeystile` where it is one. */
  readonly name: string
  readonly environment: readonly string[]
  /** Its name on the command line. */
  readonly flag: string
  /** What its text stands for. @throws {TypeError} saying what is expected */
  parse(text: string): unknown
  /** A secret may lie in a file, named by the variable with `_FILE` behind it. */
  readonly isSecret?: boolean
}

const text = (value: string): string => value
const wholeNumber = (value: string): number => {
  if (!/^\d{1,9}$/.test(value)) throw new TypeError('is a whole number')
  return Number(value)
}
const yes = (value: string): boolean => {
  if (value !== 'true' && value !== 'false') throw new TypeError('is true or false')
  return value === 'true'
}

const settings: readonly Setting[] = [
  { name: 'issuer', environment: ['KEYSTILE_ISSUER'], flag: 'issuer', parse: text },
  { name: 'audience', environment: ['KEYSTILE_AUDIENCE'], flag: 'audience', parse: text },
  {
    name: 'database',
    environment: ['KEYSTILE_DATABASE', 'DATABASE_URL'],
    flag: 'database',
    parse: text,
    isSecret: true,
  },
  { name: 'host', environment: ['KEYSTILE_HOST'], flag: 'host', parse: text },
  { name: 'port', environment: ['KEYSTILE_PORT', 'PORT'], flag: 'port', parse: wholeNumber },
  { name: 'registration', environment: ['KEYSTILE_REGISTRATION'], flag: 'registration', parse: text },
  { name: 'key', environment: ['KEYSTILE_KEY'], flag: 'key', parse: text, isSecret: true },
  { name: 'signingKey', environment: ['KEYSTILE_SIGNING_KEY_FILE'], flag: 'signing-key-file', parse: readJwk },
  { name: 'signingAlgorithm', environment: ['KEYSTILE_SIGNING_ALGORITHM'], flag: 'signing-algorithm', parse: text },
  {
    name: 'accessTokenSeconds',
    environment: ['KEYSTILE_ACCESS_TOKEN_SECONDS'],
    flag: 'access-token-seconds',
    parse: wholeNumber,
  },
  { name: 'logFile', environment: ['KEYSTILE_LOG_FILE'], flag: 'log-file', parse: text },
  {
    name: 'dangerouslyAllowHttpIssuer',
    environment: ['KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER'],
    flag: 'dangerously-allow-http-issuer',
    parse: yes,
  },
]

/** Settings that only a file can hold: they are no plain text. */
const fileOnly = ['scopes', 'roles', 'defaultScopes', 'profile']
const names = [...settings.map((setting) => setting.name), ...fileOnly]

const defaultDatabase = 'data/keystile.db'
const defaultPort = 8000

/** Flags of every command, for `parseArgs`. */
export const settingFlags: Readonly<Record<string, { readonly type: 'string' }>> = Object.fromEntries(
  ['config', ...settings.filter(({ isSecret }) => !isSecret).map(({ flag }) => flag), 'database'].map((flag) => [
    flag,
    { type: 'string' },
  ]),
)

export interface Settings {
  readonly options: CheckedOptions
  readonly hosts: readonly string[]
  readonly port: number
  readonly logFile: string | undefined
}

/**
 * Puts the settings together: flags win over the environment, which wins over the file, which wins over the defaults.
 *
 * @param flags values by flag, as `parseArgs` gives them
 * @throws {TypeError} with all faults, a line each
 */
export async function readSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Settings> {
  const faults: string[] = []
  const values = {
    ...(await readFile(flags['config'], faults)),
    ...readEnvironment(environment, faults),
    ...readFlags(flags, faults),
  }
  const {
    host = 'localhost',
    port = defaultPort,
    logFile,
  } = values as { host?: string; port?: number; logFile?: string }
  if (typeof host !== 'string') faults.push('host is a name or an address')
  if (!isPort(port)) faults.push('port is a whole number from 1 to 65535')
  if (logFile !== undefined && typeof logFile !== 'string') faults.push('logFile is a path')
  const isLocal = typeof host !== 'string' || isLoopback(host)
  if (!isLocal) {
    if (values['issuer'] === undefined)
      faults.push(`issuer must be said when listening on ${host}: the https URL at which users reach this server`)
    if (values['registration'] === undefined)
      faults.push(`registration must be said when listening on ${host}: open or closed`)
  }
  const all: Readonly<Record<string, unknown>> = {
    database: defaultDatabase,
    issuer: `http://localhost:${port}`,
    ...values,
  }
  // What has no name among the options was reported above; they would only say it again.
  const known = Object.fromEntries(Object.entries(all).filter(([name]) => optionNames.includes(name)))
  for (const fault of findOptionFaults(known)) if (isLocal || !fault.startsWith('registration')) faults.push(fault)
  if (faults.length > 0)
    throw new TypeError(['keystile cannot start:', ...faults.map((fault) => `  - ${fault}`)].join('\n'))
  return {
    options: checkOptions(known),
    hosts: host === 'localhost' ? ['127.0.0.1', '::1'] : [host],
    port,
    logFile,
  }
}

function isPort(port: unknown): boolean {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535
}

async function readFile(named: unknown, faults: string[]): Promise<Readonly<Record<string, unknown>>> {
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
    return content as Readonly<Record<string, unknown>>
  } catch (error) {
    faults.push(`${file} cannot be read: ${(error as Error).message}`)
    return {}
  }
}

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  faults: string[],
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  const known = new Set<string>()
  for (const setting of settings) {
    for (const variable of setting.environment) {
      known.add(variable)
      const fileVariable = setting.isSecret ? `${variable}_FILE` : undefined
      if (fileVariable) known.add(fileVariable)
      const found =
        environment[variable] || (fileVariable && readSecretFile(fileVariable, environment[fileVariable], faults))
      if (!found || setting.name in values) continue
      take(values, setting, found, variable, faults)
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

function readFlags(flags: Readonly<Record<string, unknown>>, faults: string[]): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {}
  for (const setting of settings) {
    const found = flags[setting.flag]
    if (typeof found === 'string') take(values, setting, found, `--${setting.flag}`, faults)
  }
  return values
}

function take(values: Record<string, unknown>, setting: Setting, value: string, where: string, faults: string[]): void {
  try {
    values[setting.name] = setting.parse(value)
  } catch (error) {
    faults.push(`${where} ${(error as Error).message}`)
  }
}

function readSecretFile(variable: string, path: string | undefined, faults: string[]): string | undefined {
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    faults.push(`${variable}: ${(error as Error).message}`)
    return undefined
  }
}

function readJwk(path: string): Jwk {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new TypeError(`names a file with a private JWK: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(content) as Jwk
  } catch {
    throw new TypeError(`names a file with a private JWK; ${path} is not JSON`)
  }
}

/** `parseArgs` in the words of this program. @throws {TypeError} for a flag that does not exist or lacks its value */
export function parseFlags(
  args: readonly string[],
  flags: NonNullable<Parameters<typeof parseArgs>[0]>['options'],
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...settingFlags, ...flags },
      allowPositionals: true,
    })
    return { values, positionals }
  } catch (error) {
    const { message } = error as Error
    throw new TypeError(message.split('. ')[0])
  }
}
