import * as z from 'zod'
import { isLoopback, isOnThisMachine } from '../base/this-machine.ts'
import type { Feature } from '../feature/feature.ts'
import type { Rule } from '../feature/rule.ts'
import { listSettings, type DefaultedSetting, type Setting } from '../feature/setting.ts'
import { filledString, onOrOff, parseWholeNumber, wholeNumber } from '../feature/values.ts'
import { show } from '../feature/wording.ts'
import { parseBinding } from './binding.ts'
import { connections, droppedConnections, requests, requestSeconds } from './metrics.ts'

/** The settings of the stand-alone server alone. */
export interface ServerSettings {
  readonly host: string
  readonly port: number
  /** Left out: standard error. */
  readonly logFile: string
  readonly logLevel: LogLevel
  readonly accessLog: 'on' | 'off'
  /** `on`, `off`, or where else `/metrics` listens. */
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
  help: 'the file that the log goes to',
  environment: ['KEYSTILE_LOG_FILE'],
}

const logLevel: DefaultedSetting<'logLevel', LogLevel> = {
  name: 'logLevel',
  takenBy: 'server',
  schema: z.enum(logLevels, { error: 'must be debug, info, warn or error' }),
  default: 'info',
  help: 'the least level that is logged: debug, info, warn or error',
  environment: ['KEYSTILE_LOG_LEVEL'],
}

const accessLog: DefaultedSetting<'accessLog', 'on' | 'off'> = {
  name: 'accessLog',
  takenBy: 'server',
  schema: onOrOff,
  default: 'off',
  help: 'on or off: a line in the log for each request',
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
  defaultText: 'on for a server that only this machine reaches, else off',
  help: 'on, off, or another place for /metrics, such as 127.0.0.1:9464',
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
    'a server that listens beyond this machine is told its issuer, and that is no http URL of this machine',
  find({ bind, options: { issuer, dangerouslyAllowHttpIssuer } }, say) {
    if (!bind) return undefined
    if (isLoopback(bind.host)) return []
    const mend = `put TLS in front and give the https URL as ${say.name('issuer')}, or ${say.set('host', 'localhost')}`
    if (!bind.isIssuerSaid) {
      const message = `must be given when listening on ${show(bind.host)}: the https URL at which users reach this server`
      return [{ about: say.name('issuer'), message, mend }]
    }
    const isHttp = issuer?.startsWith('http:') && isOnThisMachine(issuer)
    if (!isHttp || dangerouslyAllowHttpIssuer) return []
    const message = `must be an https URL when listening on ${show(bind.host)}: over http, passwords and tokens cross the network unprotected`
    return [{ about: say.name('issuer'), message, mend }]
  },
}

/** The stand-alone HTTP server, its log and its metrics. */
export const feature: Feature<ServerSettings, never, RuleOptions> = {
  name: 'listener',
  settings: listSettings<ServerSettings>({ host, port, logFile, logLevel, accessLog, metrics }),
  rules: [publicBind],
  metrics: [requests, requestSeconds, connections, droppedConnections],
}
