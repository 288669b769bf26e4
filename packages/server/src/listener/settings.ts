import * as z from 'zod'
import { listSettings, type DefaultedSetting, type Setting, type SettingList } from '../feature/setting.ts'
import { filledString, onOrOff, parseWholeNumber, wholeNumber } from '../feature/values.ts'
import { parseBinding } from './binding.ts'

/** The settings of the stand-alone server alone. */
export interface ServerSettings extends BindingSettings, LogSettings, MetricsSettings {}

interface BindingSettings {
  readonly host: string
  readonly port: number
}

interface LogSettings {
  /** Left out: standard error. */
  readonly logFile: string
  readonly logLevel: LogLevel
  readonly accessLog: 'on' | 'off'
}

interface MetricsSettings {
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
    (value) => value === 'on' || value === 'off' || (typeof value === 'string' && parseBinding(value) !== undefined),
    { error: 'must be on, off, or a host and a port such as 127.0.0.1:9464' },
  ),
  defaultText: 'on for a server that only this machine reaches, else off',
  help: 'on, off, or another place for /metrics, such as 127.0.0.1:9464',
  environment: ['KEYSTILE_METRICS'],
}

export const bindingSettings: SettingList<BindingSettings> = listSettings<BindingSettings>({ host, port })

export const logSettings: SettingList<LogSettings> = listSettings<LogSettings>({ logFile, logLevel, accessLog })

export const metricsSettings: SettingList<MetricsSettings> = listSettings<MetricsSettings>({ metrics })
