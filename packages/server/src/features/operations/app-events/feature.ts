import * as z from 'zod'
import { countOf } from '../../../feature/count.ts'
import type { Feature } from '../../../feature/feature.ts'
import type { GaugeMetric } from '../../../feature/metric.ts'
import type { Rule } from '../../../feature/rule.ts'
import { listSettings, type Setting } from '../../../feature/setting.ts'
import type { AppEvent, DurableEventHandler } from './app-event.ts'
import { eventCommands } from './store.ts'

export interface AppEventOptions {
  /**
   * A function that Keystile calls when a user was registered, changed, disabled, enabled or
   * deleted, when a user has logged in, and when a session was ended. Keystile calls the function
   * after the commit, in the process that made the change, and at most once for each event: a crash
   * between the commit and the call loses the event. Keystile does not wait for the function, and
   * logs its errors.
   *
   * Or `{ durable: true, handle }`: Keystile stores the event in the transaction of the change,
   * whichever process makes the change. One process with a handler calls `handle` for each event,
   * in no particular order. If `handle` fails, Keystile calls it again later, for up to 7 days.
   * After a crash, Keystile may call `handle` twice for one event.
   */
  readonly onEvent?: ((event: AppEvent) => unknown) | DurableEventHandler
}

type OnEvent = Exclude<AppEventOptions['onEvent'], undefined>

const onEvent: Setting<'onEvent', OnEvent> = {
  name: 'onEvent',
  takenBy: 'app',
  schema: z.custom<OnEvent>((value) => typeof value === 'function' || isDurable(value), {
    error: 'must be a function, or { durable: true, handle } with a function handle',
  }),
  defaultText: 'no function is called',
  help:
    'a function that is called after changes of users and sessions, or an object ' +
    'that handles durable events',
}

/**
 * Whether a value is a durable handler. False if the value has other members: Keystile must not
 * start if a name is misspelled, as in `{ durable: true, handel }`.
 */
function isDurable(value: unknown): boolean {
  const { durable, handle, ...others } = Object(value) as Readonly<Record<string, unknown>>
  return durable === true && typeof handle === 'function' && Object.keys(others).length === 0
}

export const waitingEvents: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_events_waiting',
  help: 'Durable events in the database that wait to be handled by the app.',
}

export const deadEvents: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_events_dead',
  help: 'Dead letters: durable events that the app did not handle for seven days.',
}

const noDeadLetters: Rule<unknown> = {
  id: 'events-handled',
  standard: 'ASVS 5.0 16.5.2',
  severity: 'warn',
  demand: 'no durable event may be a dead letter: one that was not handled for seven days',
  find({ machine }) {
    const { database } = machine ?? {}
    if (!database || database.kind === 'unavailable') return undefined

    const { deadEvents: dead = 0 } = database
    if (dead === 0) return []
    const message = `must be handled; ${countOf(dead, 'is a dead letter', 'are dead letters')}`
    const fix = 'correct the handler of onEvent, and run "keystile event retry"'
    return [{ about: 'events', message, fix }]
  },
}

/**
 * Tells the app about changes to users and sessions. An event is either passed to a function, in
 * the server process that made the change, or stored in the database for a durable handler.
 */
export const feature: Feature<AppEventOptions> = {
  name: 'app-events',
  settings: listSettings<AppEventOptions>({ onEvent }),
  rules: [noDeadLetters],
  metrics: [waitingEvents, deadEvents],
  cleanUp: [{ command: eventCommands.purge, time: 'clock', before: (time) => time }],
  cliCommands: [
    {
      words: ['event', 'list'],
      flags: { json: {} },
      takesSettings: 'withoutKey',
      summary:
        'list durable events that the app has not handled: those that wait, and those older ' +
        'than seven days (dead letters)',
      load: async () => (await import('./cli.ts')).list,
    },
    {
      words: ['event', 'retry'],
      flags: { id: { value: 'ID' } },
      takesSettings: 'withoutKey',
      summary:
        'give the app all failed events now: dead letters, and events that wait for their ' +
        'next try; with --id, only this event',
      load: async () => (await import('./cli.ts')).retry,
    },
  ],
}
