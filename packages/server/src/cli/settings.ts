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

/** Settings that only a file can hold: they are no plain text. */
const fileOnly = serverSettings.filter(({ environment }) => environment === undefined)
const listenerSettings = serverSettings.filter(({ takenBy }) => takenBy === 'server')

/** A flag with its value, as the help shows it. */
export interface FlagDoc {
  /** With its hyphens; `undefined` for what only the environment may hold. */
  readonly flag: string | undefined
  readonly environment: readonly string[]
  readonly summary: string
}

/** The flags of every command that reads settings. */
export const settingFlags: readonly FlagDoc[] = [
  ...serverSettings.filter(({ environment }) => environment !== undefined).map(documentSetting),
  {
    flag: '--config',
    environment: [],
    summary:
      `a file of settings, ${fileOnly.map(({ name }) => name).join(', ')} among them; ` +
      'default: keystile.config.ts or .json',
  },
]

function documentSetting(setting: Setting): FlagDoc {
  const byDefault = describeDefault(setting)
  return {
    flag: flagOf(setting),
    environment: (setting.environment ?? []).map((variable) =>
      fileVariableOf(setting, variable) === undefined ? variable : `${variable}[_FILE]`,
    ),
    summary: byDefault === undefined ? setting.help : `${setting.help}; default: ${byDefault}`,
  }
}

export interface Settings {
  readonly options: CheckedOptions
  readonly hosts: readonly string[]
  readonly port: number
  readonly logFile: string | undefined
  readonly logLevel: LogLevel
  readonly accessLog: boolean
  /** Where `/metrics` is answered, if anywhere: `own` is the server's own port. */
  readonly metrics: Binding | 'own' | undefined
}

/**
 * Puts the settings together: flags win over the environment, which wins over the file, which wins
 * over the defaults.
 *
 * @param flags values by flag, as `parseArgs` gives them
 * @param needsKey whether signing keys will be opened; where they are not, nothing need be said of
 *   what seals them
 * @throws {ConfigurationError} with all faults, a line each
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
  return { options: read.options, ...server }
}

/** What the rules of safety look at, with all faults in it; nothing is thrown. */
export async function readSituation(
  flags: Values,
  environment: Environment,
): Promise<Situation<RuleOptions>> {
  const { values, faults, surroundings } = await readAll(flags, environment)
  const read = readOptionSituation<RuleOptions>(optionSettings, values, surroundings)
  return { ...read.situation, faults: [...faults, ...read.faults.map(sentenceOf)] }
}

/** Stands where a command opens no signing key, so that the operator need not give one. */
const unusedKey = randomId() + randomId()

interface Found {
  /** The options of `createKeystile` among the settings. */
  readonly values: Values
  readonly faults: readonly string[]
  readonly surroundings: Surroundings
  readonly server: Omit<Settings, 'options'>
}

async function readAll(flags: Values, environment: Environment): Promise<Found> {
  const { values, sources, faults, secretFiles } = await gather(flags, environment)
  const say = standAloneWording(serverSettings, sources)
  const checked = checkSettings(listenerSettings, values, say)
  const own = withDefaults(listenerSettings, checked.values) as ServerValues

  const options = { ...standAloneDefaults(own), ...pick(values, optionSettings) }
  return {
    values: options,
    faults: [...faults, ...checked.faults.map(sentenceOf)],
    surroundings: {
      ...(!checked.unread.has('host') && {
        bind: { host: own.host, isIssuerSaid: values['issuer'] !== undefined },
      }),
      secretFiles,
      say,
    },
    server: readServer(own, options),
  }
}

type ServerValues = Omit<ServerSettings, 'logFile' | 'metrics'> & Partial<ServerSettings>

function readServer(own: ServerValues, { issuer }: Values): Omit<Settings, 'options'> {
  // With an issuer elsewhere, a proxy stands in front and may pass on requests for /metrics.
  const isPrivate = isLoopback(own.host) && isOnThisMachine(String(issuer))
  return {
    hosts: hostsOf(own.host),
    port: own.port,
    logFile: own.logFile,
    logLevel: own.logLevel,
    accessLog: own.accessLog === 'on',
    metrics: readMetrics(own.metrics ?? (isPrivate ? 'on' : 'off')),
  }
}

function readMetrics(text: string): Binding | 'own' | undefined {
  return text === 'on' ? 'own' : parseBinding(text)
}

function standAloneDefaults(own: Values): Values {
  return Object.fromEntries(
    optionSettings.flatMap((setting) =>
      setting.standAloneDefault ? [[setting.name, setting.standAloneDefault(own)]] : [],
    ),
  )
}

function pick(values: Values, settings: readonly Setting[]): Values {
  const names = settings.map(({ name }) => name)
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
}
