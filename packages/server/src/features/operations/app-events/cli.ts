// The commands `keystile event …`.
import type { Call } from '../../../feature/cli-command.ts'
import { countOf } from '../../../feature/count.ts'
import { printList } from '../../../feature/listing.ts'
import { retryRows, shownTime } from '../queue/cli.ts'
import type { AppEvent } from './app-event.ts'
import { isOverdue } from './lifetimes.ts'
import { eventCommands, listEvents } from './store.ts'
import type { AppEventRow } from './tables.ts'

/** How many events the list prints at most, the oldest first. */
const maxListed = 1_000

/** `keystile event list`: prints each event on one line. */
export async function list(call: Call<unknown>): Promise<void> {
  await call.withDatabase(async ({ reader }) => {
    const rows = (await listEvents(reader, maxListed)).map((row) => ({
      id: row.id,
      event: JSON.parse(row.event) as AppEvent,
      state: stateOf(row, call.clock.now()),
      tries: row.tries,
      failure: row.failure,
      created_at: shownTime(row.created_at),
      next_try_at: row.dead_at === null ? shownTime(row.next_try_at) : null,
    }))
    await printList(call, rows, {
      columns: [
        { title: 'EVENT', width: 36, show: ({ id }) => id },
        { title: 'STATE', width: 7, show: ({ state }) => state },
        { title: 'TYPE', width: 16, show: ({ event }) => event.type },
        { title: 'USER', width: 22, show: ({ event }) => event.subject },
        { title: 'CREATED', width: 24, show: ({ created_at: at }) => at },
        { title: 'TRIES', width: 8, show: ({ tries }) => countOf(tries, 'try', 'tries') },
        { title: 'FAILURE', width: 0, show: ({ failure }) => failure },
      ],
      wire: (row) => row,
      none: 'the app has handled all durable events',
    })
  })
}

function stateOf(row: AppEventRow, now: number): 'dead' | 'waiting' {
  return row.dead_at !== null || isOverdue(row.created_at, now) ? 'dead' : 'waiting'
}

/**
 * `keystile event retry`: makes a running app handle events that failed, also dead letters, which
 * it did not handle for 7 days.
 */
export async function retry(call: Call<unknown>): Promise<void> {
  await retryRows(call, eventCommands, { row: 'event', next: 'a running app handles' })
}
