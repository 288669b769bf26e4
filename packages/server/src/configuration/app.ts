import * as z from 'zod'
import { silentLogger, systemClock, type Clock, type Logger } from 'keystile/internal'
import type { Feature } from '../feature/feature.ts'
import { listSettings, type DefaultedSetting } from '../feature/setting.ts'

export interface AppOptions {
  readonly logger?: Logger
  readonly clock?: Clock
}

const logger: DefaultedSetting<'logger', Logger> = {
  name: 'logger',
  takenBy: 'app',
  schema: z.custom<Logger>(isLogger, {
    error: 'must have the methods debug, info, warn and error',
  }),
  default: silentLogger,
  defaultText: 'nothing is logged',
  help: 'where messages go',
}

const clock: DefaultedSetting<'clock', Clock> = {
  name: 'clock',
  takenBy: 'app',
  schema: z.custom<Clock>((value) => typeof (value as Clock | null)?.now === 'function', {
    error: 'must have a method now',
  }),
  default: systemClock,
  defaultText: "the machine's clock",
  help: 'what tells the time, for tests',
}

function isLogger(value: unknown): boolean {
  return (['debug', 'info', 'warn', 'error'] as const).every(
    (name) => typeof (value as Logger | null)?.[name] === 'function',
  )
}

/** What an app passes in, and the stand-alone server has of its own. */
export const feature: Feature<AppOptions> = {
  name: 'app',
  settings: listSettings<AppOptions>({ logger, clock }),
}
