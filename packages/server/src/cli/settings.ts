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
} from '../server/options.ts'
import type { Bind, Situation } from '../server/rules/rule.ts'
import type { Binding } from '../server/server.ts'
import { isLoopback, isOnThisMachine } from '../server/this-machine.ts'
import { hostsOf, isPort, readMetrics } from './binding.ts'
import { logLevels } from './log.ts'
import { readJwk, readSecretFile } from './secret-files.ts'

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

const costOf = (value: string): unknown => {
  const [, memoryKiB, passes] = /^m=(\d{1,9}),t=(\d{1,9})$/.exec(value) ?? []
  if (memoryKiB === undefined) throw new TypeError('is written m=19456,t=2: KiB of memory, and passes')
  return { memoryKiB: Number(memoryKiB), passes: Number(passes) }
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
    name: 'passwordMinLength',
    environment: ['KEYSTILE_PASSWORD_MIN_LENGTH'],
    summary: 'characters of a new password at least; 15 unless said, from 8 on beside a second factor',
    parse: wholeNumber,
  },
  {
    name: 'passwordHashing',
    environment: ['KEYSTILE_PASSWORD_HASHING'],
    summary: 'what a password hash costs, as keystile tune prints it; m=19456,t=2 unless said',
    parse: costOf,
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
    name: 'logLevel',
    environment: ['KEYSTILE_LOG_LEVEL'],
    summary: 'debug, info, warn or error; info unless said',
    parse: asText,
  },
  {
    name: 'accessLog',
    environment: ['KEYSTILE_ACCESS_LOG'],
    summary: 'on or off: a line in the log for each request; off unless said',
    parse: asText,
  },
  {
    name: 'metrics',
    environment: ['KEYSTILE_METRICS'],
    summary: 'on, off, or where else /metrics listens, such as 127.0.0.1:9464; on for this machine alone unless said',
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
  const { values, faults, bind, server } = await gather(flags, environment)
  const read = readOptions(needsKey ? values : { key: unusedKey, ...values }, bind)
  const all = [...faults, ...read.faults.map(({ option, message }) => `${option} ${message}`)]
  if (all.length > 0 || !read.options) throw new ConfigurationError(cannotStart(all))
  return { options: read.options, ...server }
}

/** What the rules of safety look at, with all faults in it; nothing is thrown. */
export async function readSituation(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Situation> {
  const { values, faults, bind } = await gather(flags, environment)
  const { faults: optionFaults, situation } = readOptionSituation(values, bind)
  return { ...situation, faults: [...faults, ...optionFaults.map(({ option, message }) => `${option} ${message}`)] }
}

interface Gathered {
  /** The options of `createKeystile` among the settings. */
  readonly values: Readonly<Record<string, unknown>>
  readonly faults: readonly string[]
  readonly bind: Bind | undefined
  readonly server: Omit<Settings, 'options'>
}

async function gather(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Gathered> {
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
    bind: typeof host === 'string' ? { host, isIssuerSaid: values['issuer'] !== undefined } : undefined,
    server: { hosts: hostsOf(host), port, logFile, logLevel, accessLog: accessLog === 'on', metrics },
  }
}

/** Stands where a command opens no signing key, so that the operator need not give one. */
const unusedKey = randomId() + randomId()

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
