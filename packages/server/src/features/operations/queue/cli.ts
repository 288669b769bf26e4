// What the commands of all queues share.
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { countOf } from '../../../feature/count.ts'
import type { QueueCommands, QueuedRow } from './rows.ts'

/**
 * Makes all rows due that failed, dead letters too, or only the row that the flag `--id` names. A
 * running process then delivers them.
 *
 * @param words.row what a row is called, such as `mail`. The commands begin with this word:
 *   `keystile mail list`
 * @param words.next what happens next, such as `a running server tries to send`; "it" or "them"
 *   follows
 * @throws {ConfigurationError} if there is no row with this id
 */
export async function retryRows(
  { flags, terminal, clock, withDatabase }: Call<unknown>,
  { retry }: Pick<QueueCommands<QueuedRow>, 'retry'>,
  { row, next }: { readonly row: string; readonly next: string },
): Promise<void> {
  const id = flags.value('id')
  await withDatabase(async (database) => {
    const { retried } = await database.write(retry, { id, now: clock.now() })
    if (id !== undefined && retried === 0)
      throw new ConfigurationError(
        `the ${row} must exist and must not have expired; see "keystile ${row} list"`,
      )
    terminal.print(
      retried === 0
        ? `no ${row} has failed; "keystile ${row} list" shows what waits`
        : `${countOf(retried, `${row} is`, `${row}s are`)} due now: ` +
            `${next} ${retried === 1 ? 'it' : 'them'}`,
    )
  })
}

/** Returns a time as the lists show it, in the format of ISO 8601. */
export function shownTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
