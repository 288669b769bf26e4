import * as z from 'zod'
import { isLoopback, isOnThisMachine } from '../base/this-machine.ts'
import type { Feature } from '../feature/feature.ts'
import type { Rule } from '../feature/rule.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../feature/setting.ts'
import { show } from '../feature/shown-value.ts'
import { filledString, onOrOff, parseWholeNumber, wholeNumber } from '../feature/values.ts'
import { parseBinding } from './binding.ts'
import { connections, droppedConnections, requests, requestSeconds } from './metrics.ts'

export interface ServerSettings {
  readonly host: string
  readonly port: number
  /** The path of the log file. Without a file, the log goes to standard error. */
  readonly logFile: string
  readonly logLevel: LogLevel
  readonly accessLog: 'on' | 'off'
  /** `on`, `off`, or a separate host and port for `/metrics`. */
  readonly metrics: string
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

const host: DefaultedSetting<'host', string> = {
  name: 'host',
  takenBy: 'server',
  schema: filledString,
  default: 'localhost',
  help: 'the name or address to listen on',
  environment: ['KEYSTILE_HOST'],
}

const port: DefaultedSetting<'port', number> = {
  name: 'port',
  takenBy: 'server',
  schema: wholeNumber(1, 65_535),
  default: 8000,
  help: 'the port to listen on',
  environment: ['KEYSTILE_PORT', 'PORT'],
  parse: parseWholeNumber,
}

const logFile: Setting<'logFile', string> = {
  name: 'logFile',
  takenBy: 'server',
  schema: filledString,
  defaultText: 'standard error',
  help: 'the file for the log',
  environment: ['KEYSTILE_LOG_FILE'],
}

const logLevel: DefaultedSetting<'logLevel', LogLevel> = {
  name: 'logLevel',
  takenBy: 'server',
  schema: z.enum(logLevels, { error: 'must be debug, info, warn or error' }),
  default: 'info',
  help: 'the lowest level that is logged: debug, info, warn or error',
  environment: ['KEYSTILE_LOG_LEVEL'],
}

const accessLog: DefaultedSetting<'accessLog', 'on' | 'off'> = {
  name: 'accessLog',
  takenBy: 'server',
  schema: onOrOff,
  default: 'off',
  help: 'on or off: whether each request gets a line in the log',
  environment: ['KEYSTILE_ACCESS_LOG'],
}

const metrics: Setting<'metrics', string> = {
  name: 'metrics',
  takenBy: 'server',
  schema: z.custom<string>(
    (value) =>
      value === 'on' ||
      value === 'off' ||
      (typeof value === 'string' && parseBinding(value) !== undefined),
    { error: 'must be on, off, or a host and a port such as 127.0.0.1:9464' },
  ),
  defaultText: 'on if only this machine can reach the server, otherwise off',
  help: 'on, off, or a separate host and port for /metrics, such as 127.0.0.1:9464',
  environment: ['KEYSTILE_METRICS'],
}

interface RuleOptions {
  readonly issuer?: string | undefined
  readonly dangerouslyAllowHttpIssuer?: boolean | undefined
}

const publicBind: Rule<RuleOptions> = {
  id: 'public-bind',
  standard: 'RFC 6749 §3.2',
  severity: 'stop',
  demand:
    'if other machines can reach the server, the issuer must be given, ' +
    'and must not be an http URL of this machine',
  find({ bind, options: { issuer, dangerouslyAllowHttpIssuer } }, say) {
    if (!bind) return undefined
    if (isLoopback(bind.host)) return []

    const about = say.name('issuer')
    const onLocalhost = say.set('host', 'localhost')
    const fix = `put TLS in front and give the https URL as ${about}, or ${onLocalhost}`
    if (!bind.isIssuerGiven) {
      const message =
        `must be given when the server listens on ${show(bind.host)}. ` +
        'It must be the https URL at which users reach the server'
      return [{ about, message, fix }]
    }

    const isHttp = issuer?.startsWith('http:') && isOnThisMachine(issuer)
    if (!isHttp || dangerouslyAllowHttpIssuer) return []

    const message =
      `must be an https URL when the server listens on ${show(bind.host)}: ` +
      'over http, others on the network can read passwords and tokens'
    return [{ about, message, fix }]
  },
}

export const feature: Feature<ServerSettings, never, RuleOptions> = {
  name: 'listener',
  settings: listSettings<ServerSettings>({ host, port, logFile, logLevel, accessLog, metrics }),
  rules: [publicBind],
  metrics: [requests, requestSeconds, connections, droppedConnections],
}
