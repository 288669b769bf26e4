// Objects that only an app can pass: a logger and a clock. The stand-alone server creates its own.
import { isLogger, systemClock, type Clock, type Logger } from 'keystile/internal'
import * as z from 'zod'
import { consoleLogger } from '../feature/console-logger.ts'
import type { Feature } from '../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../feature/setting.ts'

export interface AppOptions {
  /**
   * The logger that gets all log messages of Keystile. Its methods are called in pino's form:
   * `logger.warn(fields, message)`. A pino logger can be passed directly. Guards log at the level
   * `debug` why they refuse a request. No message holds a password or a token. Default: warnings
   * and errors go to standard error.
   */
  readonly logger?: Logger
  readonly clock?: Clock
}

const logger: DefaultedSetting<'logger', Logger> = {
  name: 'logger',
  takenBy: 'app',
  schema: z.custom<Logger>(isLogger, {
    error: 'must be an object with the methods debug, info, warn and error',
  }),
  default: consoleLogger,
  defaultText: 'warnings and errors go to standard error',
  help: 'a logger for all messages, with the methods of pino',
}

const clock: DefaultedSetting<'clock', Clock> = {
  name: 'clock',
  takenBy: 'app',
  schema: z.custom<Clock>((value) => typeof (value as Clock | null)?.now === 'function', {
    error: 'must be an object with a method now',
  }),
  default: systemClock,
  defaultText: "the machine's clock",
  help: 'the source of the time, for tests',
}

export const feature: Feature<AppOptions> = {
  name: 'app',
  settings: listSettings<AppOptions>({ logger, clock }),
}
