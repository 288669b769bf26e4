import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Jwk } from 'keystile/jwt'
import { ConfigurationError } from '../base/configuration-error.ts'
import { cannotStart, optionNames, readOptions, type CheckedOptions } from '../server/options.ts'
import { isLoopback } from '../server/urls.ts'

/** One setting of the stand-alone server, wherever it may come from. */
interface Setting {
  /** Its name in a configuration file, and as an option of `createKeystile` where it is one. */
  readonly name: string
  readonly environment: readonly string[]
  /** Its name on the command line, where it is not the name with hyphens. */
  readonly flag?: string
  /** What the help says. */
  readonly summary: string
  /** What its text stands for. @throws {TypeError} saying what is expected */
  parse(text: string): unknown
  /** A secret may lie in a file, named by the variable with `_FILE` behind it. */
  readonly isSecret?: boolean
  /** It is no flag: anyone on the machine can read the arguments of a process. */
  readonly isHidden?: boolean
}

function flagOf({ name, flag }: Setting): string {
  return flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

const asText = (value: string): string => value
const wholeNumber = (value: string): number => {
  if (!/^\d{1,9}$/.test(value)) throw new TypeError('is a whole number')
  return Number(value)
}
const listOf = (value: string): readonly string[] => value.split(',').map((item) => item.trim())
const booleanOf = (value: string): boolean => {
  if (value !== 'true' && value !== 'false') throw new TypeError('is true or false')
  return value === 'true'
}

const settings: readonly Setting[] = [
  {
    name: 'issuer',
    environment: ['KEYSTILE_ISSUER'],
    summary: 'the URL at which users reach the server; http://localhost:PORT unless said',
    parse: asText,
  },
  {
    name: 'audience',
    environment: ['KEYSTILE_AUDIENCE'],
    summary: 'who the tokens are for; the issuer unless said',
    parse: asText,
  },
  {
    name: 'database',
    environment: ['KEYSTILE_DATABASE', 'DATABASE_URL'],
    summary: 'a SQLite file or a postgres: URL; data/keystile.db unless said',
    parse: asText,
    isSecret: true,
  },
  { name: 'host', environment: ['KEYSTILE_HOST'], summary: 'what to listen on; localhost unless said', parse: asText },
  { name: 'port', environment: ['KEYSTILE_PORT', 'PORT'], summary: '8000 unless said', parse: wholeNumber },
  {
    name: 'registration',
    environment: ['KEYSTILE_REGISTRATION'],
    summary: 'open or closed; open on localhost unless said',
    parse: asText,
  },
  {
    name: 'key',
    environment: ['KEYSTILE_KEY'],
    summary: 'seals the signing keys; the file keystile.key beside SQLite unless said',
    parse: asText,
    isSecret: true,
    isHidden: true,
  },
  {
    name: 'signingKey',
    flag: 'signing-key-file',
    environment: ['KEYSTILE_SIGNING_KEY_FILE'],
    summary: 'a file with a private JWK that signs instead of own keys',
    parse: readJwk,
  },
  {
    name: 'signingAlgorithm',
    environment: ['KEYSTILE_SIGNING_ALGORITHM'],
    summary: 'ES256, EdDSA or RS256; ES256 unless said',
    parse: asText,
  },
  {
    name: 'accessTokenSeconds',
    environment: ['KEYSTILE_ACCESS_TOKEN_SECONDS'],
    summary: 'life of an access token; 600 unless said',
    parse: wholeNumber,
  },
  {
    name: 'sessionSeconds',
    environment: ['KEYSTILE_SESSION_SECONDS'],
    summary: 'how long a login lasts, however often it is refreshed; 2592000 (30 days) unless said',
    parse: wholeNumber,
  },
  {
    name: 'idleSeconds',
    environment: ['KEYSTILE_IDLE_SECONDS'],
    summary: 'how long a login lasts that is not refreshed; 1209600 (14 days) unless said',
    parse: wholeNumber,
  },
  {
    name: 'graceSeconds',
    environment: ['KEYSTILE_GRACE_SECONDS'],
    summary: 'how long a used refresh token gives its successor again; 10 unless said, 0 for never',
    parse: wholeNumber,
  },
  {
    name: 'corsOrigins',
    environment: ['KEYSTILE_CORS_ORIGINS'],
    summary: 'origins whose pages may ask from elsewhere, with commas between them; none unless said',
    parse: listOf,
  },
  {
    name: 'rateLimits',
    environment: ['KEYSTILE_RATE_LIMITS'],
    summary: 'on, or off where guesses are limited in front of the server; on unless said',
    parse: asText,
  },
  {
    name: 'trustedProxies',
    environment: ['KEYSTILE_TRUSTED_PROXIES'],
    summary: 'addresses and ranges of proxies whose X-Forwarded-For is believed, or none where there is no proxy',
    parse: (value) => (value === 'none' ? [] : listOf(value)),
  },
  {
    name: 'auditSeconds',
    environment: ['KEYSTILE_AUDIT_SECONDS'],
    summary: 'how long the audit record keeps a line; 7776000 (90 days) unless said',
    parse: wholeNumber,
  },
  {
    name: 'logFile',
    environment: ['KEYSTILE_LOG_FILE'],
    summary: 'where the log goes; standard error unless said',
    parse: asText,
  },
  {
    name: 'dangerouslyAllowHttpIssuer',
    environment: ['KEYSTILE_DANGEROUSLY_ALLOW_HTTP_ISSUER'],
    summary: 'true allows an http issuer, and http origins, that are not this machine',
    parse: booleanOf,
  },
]

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
  const all: Readonly<Record<string, unknown>> = {
    database: defaultDatabase,
    issuer: `http://localhost:${isPort(port) ? port : defaultPort}`,
    ...values,
  }
  const isLocal = typeof host !== 'string' || isLoopback(host)
  if (!isLocal && values['issuer'] === undefined) {
    faults.push(`issuer must be said when listening on ${host}: the https URL at which users reach this server`)
  }
  const isPlain = String(values['issuer']).startsWith('http:') && values['dangerouslyAllowHttpIssuer'] !== true
  if (!isLocal && isPlain) {
    faults.push(
      `issuer is https when listening on ${host}: over http, passwords and tokens cross the network unprotected`,
    )
  }
  if (!isLocal && values['registration'] === undefined) {
    faults.push(`registration must be said when listening on ${host}: open or closed`)
  }
  // What has no name among the options was reported above, and so was what another host needs.
  const known = Object.fromEntries(Object.entries(all).filter(([name]) => optionNames.includes(name)))
  const read = readOptions(needsKey ? known : { key: unusedKey, ...known })
  for (const { option, message } of read.faults) {
    if (isLocal || option !== 'registration' || values['registration'] !== undefined)
      faults.push(`${option} ${message}`)
  }
  if (faults.length > 0 || !read.options) throw new ConfigurationError(cannotStart(faults))
  return { options: read.options, hosts: host === 'localhost' ? ['127.0.0.1', '::1'] : [host], port, logFile }
}

/** Stands where a command opens no signing key, so that the operator need not give one. */
const unusedKey = 'abcdefghijklmnopqrstuvwxyz0123456789'

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
    const found = setting.isHidden ? undefined : flags[flagOf(setting)]
    if (typeof found === 'string') take(values, setting, found, `--${flagOf(setting)}`, faults)
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
