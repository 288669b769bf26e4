import { randomId } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import { checkSettings, withDefaults } from '../configuration/check.ts'
import {
  cannotStart,
  readSituation as readOptionSituation,
  sentenceOf,
  type Surroundings,
} from '../configuration/options.ts'
import { isLoopback, isOnThisMachine } from '../base/this-machine.ts'
import {
  describeDefault,
  fileVariableOf,
  flagOf,
  standAloneWording,
  type Setting,
  type Values,
} from '../feature/setting.ts'
import type { Situation } from '../feature/situation.ts'
import { hostsOf, parseBinding, type Binding } from '../listener/binding.ts'
import type { LogLevel, ServerSettings } from '../listener/feature.ts'
import { optionSettings, serverSettings, type RuleOptions } from '../server/features.ts'
import { readOptions, type CheckedOptions } from '../server/options.ts'
import { gather, type Environment } from './sources.ts'

/**
 * The settings that only a configuration file can give, because a string cannot express their
 * values.
 */
const fileOnly = serverSettings.filter(({ environment }) => environment === undefined)
const listenerSettings = serverSettings.filter(({ takenBy }) => takenBy === 'server')

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

/** All settings of the stand-alone server, checked and complete. */
export interface Settings {
  readonly options: CheckedOptions
  readonly hosts: readonly string[]
  readonly port: number
  readonly logFile: string | undefined
  readonly logLevel: LogLevel
  readonly accessLog: boolean
  /**
   * Where `/metrics` is served: on the server's own port (`own`), on a separate binding, or nowhere
   * (`undefined`).
   */
  readonly metrics: Binding | 'own' | undefined
  /** The environment variables that were ignored, because Kubernetes sets them. */
  readonly ignoredVariables: readonly string[]
}

/**
 * Reads all settings. Flags win over the environment, the environment wins over the file, and the
 * file wins over the defaults.
 *
 * @param flags the values of the flags, by name without hyphens, as `parseArgs` returns them
 * @param needsKey whether the command opens signing keys. If false, the operator need not give the
 *   key that encrypts the signing keys.
 * @throws {ConfigurationError} with all faults, one line for each fault
 */
export async function readSettings(
  flags: Values,
  environment: Environment,
  needsKey: boolean,
): Promise<Settings> {
  const { values, faults, surroundings, server } = await readAll(flags, environment)
  const read = readOptions(needsKey ? values : { key: unusedKey, ...values }, surroundings)

  const all = [...faults, ...read.faults.map(sentenceOf)]
  if (all.length > 0 || !read.options) throw new ConfigurationError(cannotStart(all))

  const { key, ...others } = read.options
  return { options: key === unusedKey ? others : read.options, ...server }
}

/** Reads all settings for the safety rules. Faults are part of the result and are not thrown. */
export async function readSituation(
  flags: Values,
  environment: Environment,
): Promise<Situation<RuleOptions>> {
  const { values, faults, surroundings } = await readAll(flags, environment)
  const read = readOptionSituation<RuleOptions>(optionSettings, values, surroundings)
  return { ...read.situation, faults: [...faults, ...read.faults.map(sentenceOf)] }
}

/**
 * A random value for the setting `key`, for commands that decrypt no signing keys. So an operator
 * can run such a command without the real value.
 */
const unusedKey = randomId() + randomId()

interface Found {
  /** The values of those settings that are options of `createKeystile`. */
  readonly values: Values
  readonly faults: readonly string[]
  readonly surroundings: Surroundings
  readonly server: Omit<Settings, 'options'>
}

async function readAll(flags: Values, environment: Environment): Promise<Found> {
  const { ignored, ...gathered } = await gather(flags, environment)
  const { values, sources, faults, secretFiles, unread } = gathered
  const say = standAloneWording(serverSettings, sources)
  const checked = checkSettings(listenerSettings, values, say)
  const own = withDefaults(listenerSettings, checked.values) as ServerValues

  const options = { ...standAloneDefaults({ ...values, ...own }), ...pick(values, optionSettings) }
  return {
    values: options,
    faults: [...faults, ...checked.faults.map(sentenceOf)],
    surroundings: {
      ...(!checked.unread.has('host') && {
        bind: { host: own.host, isIssuerGiven: values['issuer'] !== undefined },
      }),
      secretFiles,
      flags: new Set([...sources].filter(([, { kind }]) => kind === 'flag').map(([name]) => name)),
      unread,
      say,
    },
    server: { ...readServer(own, options), ignoredVariables: ignored },
  }
}

type ServerValues = Omit<ServerSettings, 'logFile' | 'metrics'> & Partial<ServerSettings>

function readServer(
  own: ServerValues,
  { issuer }: Values,
): Omit<Settings, 'options' | 'ignoredVariables'> {
  // The public must not read metrics. If the issuer is not a URL of this machine, there is a proxy
  // in front of the server, which might forward public requests for /metrics.
  const isPrivate = isLoopback(own.host) && isOnThisMachine(String(issuer))
  return {
    hosts: hostsOf(own.host),
    port: own.port,
    logFile: own.logFile,
    logLevel: own.logLevel,
    accessLog: own.accessLog === 'on',
    metrics: readMetrics(own.metrics, isPrivate),
  }
}

function readMetrics(text: string | undefined, isPrivate: boolean): Binding | 'own' | undefined {
  if (text === undefined) return isPrivate ? 'own' : undefined
  return text === 'on' ? 'own' : parseBinding(text)
}

function standAloneDefaults(known: Values): Values {
  return Object.fromEntries(
    optionSettings.flatMap((setting) =>
      setting.standAloneDefault ? [[setting.name, setting.standAloneDefault(known)]] : [],
    ),
  )
}

function pick(values: Values, settings: readonly Setting[]): Values {
  const names = settings.map(({ name }) => name)
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
}
