import * as z from 'zod'
import type { Feature } from '../../feature/feature.ts'
import { listSettings, type Setting } from '../../feature/setting.ts'
import type { AppEvent } from './app-event.ts'

export interface AppEventOptions {
  /**
   * Called when a user was registered, changed, disabled, enabled or deleted, or has logged in, and
   * when a session was ended. The function is called in the process that made the change, after the
   * commit and at most once: a crash between the commit and the call loses the event. Keystile does
   * not wait for the function, and logs what it throws.
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

/** Events for the app: what happened to users and sessions. */
export const feature: Feature<AppEventOptions> = {
  name: 'app-events',
  settings: listSettings<AppEventOptions>({ onEvent }),
}
