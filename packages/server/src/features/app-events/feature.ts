import * as z from 'zod'
import type { Feature } from '../../feature/feature.ts'
import { listSettings, type Setting } from '../../feature/setting.ts'
import type { AppEvent } from './app-event.ts'

export interface AppEventOptions {
  /**
   * A function that Keystile calls when a user was registered, changed, disabled, enabled or
   * deleted, when a user has logged in, and when a session was ended. Keystile calls it after the
   * commit, in the process that made the change. It calls it at most once for each event: a crash
   * between the commit and the call loses the event. Keystile does not wait for the function, and
   * logs its errors.
   */
  readonly onEvent?: (event: AppEvent) => unknown
}

const onEvent: Setting<'onEvent', (event: AppEvent) => unknown> = {
  name: 'onEvent',
  takenBy: 'app',
  schema: z.custom<(event: AppEvent) => unknown>((value) => typeof value === 'function', {
    error: 'must be a function',
  }),
  defaultText: 'no function is called',
  help: 'a function that is called after changes of users and sessions',
}

/** Events for the app about changes of users and sessions. */
export const feature: Feature<AppEventOptions> = {
  name: 'app-events',
  settings: listSettings<AppEventOptions>({ onEvent }),
}
