import { randomId } from 'keystile/internal'
import { ConfigurationError } from '../base/configuration-error.ts'
import { isLoopback, isOnThisMachine } from '../base/this-machine.ts'
import { checkSettings, withDefaults } from '../configuration/check.ts'
import {
  cannotStart,
  sentenceOf,
  situationOf,
  type Surroundings,
} from '../configuration/options.ts'
import type { Setting, Values } from '../feature/setting.ts'
import type { Situation } from '../feature/situation.ts'
import { standAloneWording } from '../feature/stand-alone-wording.ts'
import { hostsOf, parseBinding, type Binding } from '../listener/binding.ts'
import type { LogLevel, ServerSettings } from '../listener/feature.ts'
import { optionSettings, serverSettings, type RuleOptions } from '../server/features.ts'
import { readOptions, type CheckedOptions } from '../server/options.ts'
import { gather, type Environment } from './sources.ts'

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
 * @throws {ConfigurationError} with all faults, one line for each fault
 */
export async function readSettings(flags: Values, environment: Environment): Promise<Settings> {
  return checkOptions(await readAll(flags, environment))
}

/**
 * Like `readSettings`, but for a command that opens no signing keys. The operator need not give
 * `key`, which encrypts them: a random value stands in for it during the checks.
 */
export async function readSettingsWithoutKey(
  flags: Values,
  environment: Environment,
): Promise<Settings> {
  const standIn = randomId() + randomId()
  const found = await readAll(flags, environment)
  const checked = checkOptions({ ...found, values: { key: standIn, ...found.values } })

  const { key, ...others } = checked.options
  return key === standIn ? { ...checked, options: others } : checked
}

/** Reads all settings for the safety rules. Faults are part of the result and are not thrown. */
export async function readSituation(
  flags: Values,
  environment: Environment,
): Promise<Situation<RuleOptions>> {
  const { values, faults, surroundings } = await readAll(flags, environment)
  const read = situationOf<RuleOptions>(optionSettings, values, surroundings)
  return { ...read.situation, faults: [...faults, ...read.faults.map(sentenceOf)] }
}

interface Found {
  /** The values of those settings that are options of `createKeystile`. */
  readonly values: Values
  readonly faults: readonly string[]
  readonly surroundings: Surroundings
  readonly server: Omit<Settings, 'options'>
}

/** Reads all settings, but checks only those of the listener: `readOptions` checks the options. */
async function readAll(flags: Values, environment: Environment): Promise<Found> {
  const gathered = await gather(flags, environment)
  const { values, sources, secretFiles, unread } = gathered
  const say = standAloneWording(serverSettings, sources)
  const checked = checkSettings(listenerSettings, values, say)
  // This cast is safe: each record has checked its value.
  const listener = withDefaults(listenerSettings, checked.values) as ListenerValues
  const options = {
    ...standAloneDefaults({ ...values, ...listener }),
    ...pick(values, optionSettings),
  }

  // If the given host is not valid, nothing says where the server would listen.
  const bind = checked.unread.has('host')
    ? undefined
    : { host: listener.host, isIssuerGiven: values['issuer'] !== undefined }
  const givenAsFlags = [...sources].filter(([, { kind }]) => kind === 'flag')
  return {
    values: options,
    faults: [...gathered.faults, ...checked.faults.map(sentenceOf)],
    surroundings: {
      bind,
      secretFiles,
      flags: new Set(givenAsFlags.map(([name]) => name)),
      unread,
      say,
    },
    server: { ...readServer(listener, options), ignoredVariables: gathered.ignored },
  }
}

function checkOptions({ values, faults, surroundings, server }: Found): Settings {
  const read = readOptions(values, surroundings)
  const all = [...faults, ...read.faults.map(sentenceOf)]
  if (all.length > 0 || !read.options) throw new ConfigurationError(cannotStart(all))

  return { options: read.options, ...server }
}

const listenerSettings = serverSettings.filter(({ takenBy }) => takenBy === 'server')

/** The settings of the listener. Those without a default may be missing. */
type ListenerValues = Omit<ServerSettings, 'logFile' | 'metrics'> & Partial<ServerSettings>

function readServer(
  listener: ListenerValues,
  { issuer }: Values,
): Omit<Settings, 'options' | 'ignoredVariables'> {
  // The public must not read metrics. If the issuer is not a URL of this machine, there is a proxy
  // in front of the server, which might forward public requests for /metrics.
  const isPrivate = isLoopback(listener.host) && isOnThisMachine(String(issuer))
  return {
    hosts: hostsOf(listener.host),
    port: listener.port,
    logFile: listener.logFile,
    logLevel: listener.logLevel,
    accessLog: listener.accessLog === 'on',
    metrics: readMetrics(listener.metrics, isPrivate),
  }
}

function readMetrics(text: string | undefined, isPrivate: boolean): Binding | 'own' | undefined {
  if (text === undefined) return isPrivate ? 'own' : undefined
  return text === 'on' ? 'own' : parseBinding(text)
}

/** @param known the given values, with the defaults of the settings of the listener */
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
