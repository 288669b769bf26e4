// The commands `keystile event …`.
import type { Call } from '../../feature/cli-command.ts'
import { retryRows, shownTime } from '../queue/cli.ts'
import type { AppEvent } from './app-event.ts'
import { isOverdue } from './lifetimes.ts'
import { eventCommands, listEvents } from './store.ts'
import type { AppEventRow } from './tables.ts'

/** The largest number of events that `event list` shows. */
const maxListed = 1_000

/** `keystile event list`: prints each event on one line. */
export async function list({ flags, terminal, clock, withDatabase }: Call<unknown>): Promise<void> {
  await withDatabase(async ({ reader }) => {
    for (const row of await listEvents(reader, maxListed)) {
      const { type, subject } = JSON.parse(row.event) as AppEvent
      const state = stateOf(row, clock.now())
      const [createdAt, nextTryAt] = [shownTime(row.created_at), shownTime(row.next_try_at)]
      const { id, tries, failure } = row
      if (flags.has('json'))
        terminal.printJson({
          id,
          event: JSON.parse(row.event) as AppEvent,
          state,
          tries,
          failure,
          created_at: createdAt,
          next_try_at: row.dead_at === null ? nextTryAt : null,
        })
      else
        terminal.printRow([id, state, type, subject, createdAt, `${tries} tries`, failure ?? '-'])
    }
  })
}

function stateOf(row: AppEventRow, now: number): 'dead' | 'waiting' {
  return row.dead_at !== null || isOverdue(row.created_at, now) ? 'dead' : 'waiting'
}

/**
 * `keystile event retry`: makes a running app handle dead letters again. A dead letter is an event
 * that the app did not handle for 7 days.
 */
export async function retry(call: Call<unknown>): Promise<void> {
  await retryRows(call, eventCommands, { row: 'event', next: 'handled by a running app' })
}
