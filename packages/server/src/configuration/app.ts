import * as z from 'zod'
import { silentLogger, systemClock, type Clock, type Logger } from 'keystile/internal'
import type { Feature } from '../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../feature/setting.ts'

// Options for things that an app passes in. The stand-alone server has its own log and clock.

export interface AppOptions {
  readonly logger?: Logger
  readonly clock?: Clock
}

const logger: DefaultedSetting<'logger', Logger> = {
  name: 'logger',
  takenBy: 'app',
  schema: z.custom<Logger>(isLogger, {
    error: 'must be an object with the methods debug, info, warn and error',
  }),
  default: silentLogger,
  defaultText: 'nothing is logged',
  help: 'the logger that gets all messages',
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

function isLogger(value: unknown): boolean {
  return (['debug', 'info', 'warn', 'error'] as const).every(
    (name) => typeof (value as Logger | null)?.[name] === 'function',
  )
}

/** The logger and the clock of an app. */
export const feature: Feature<AppOptions> = {
  name: 'app',
  settings: listSettings<AppOptions>({ logger, clock }),
}
