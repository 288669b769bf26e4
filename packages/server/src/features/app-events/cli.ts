// The commands `keystile event …`.
import { ConfigurationError } from '../../base/configuration-error.ts'
import type { Call } from '../../feature/cli-command.ts'
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
      const [createdAt, nextTryAt] = [timeOf(row.created_at), timeOf(row.next_try_at)]
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

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

/** `keystile event retry`: makes a running app try dead letters again. */
export async function retry({
  flags,
  terminal,
  clock,
  withDatabase,
}: Call<unknown>): Promise<void> {
  const id = flags.value('id')
  await withDatabase(async (database) => {
    const { retried } = await database.write(eventCommands.retry, { id, now: clock.now() })
    if (id !== undefined && retried === 0)
      throw new ConfigurationError(
        'the event must exist and not be expired; see keystile event list',
      )
    terminal.print(
      `${retried} ${retried === 1 ? 'event' : 'events'} will be handled by a running app`,
    )
  })
}
