import { sql } from 'kysely'
import { command, inTables, type AnyCommand, type Command } from '../../../storage/database.ts'
import { databaseTime } from '../../../storage/portable-sql.ts'
import type { LeaseTables } from './tables.ts'

/** How long a lease lasts without a renewal, by the clock of the database. */
export const leaseMilliseconds = 10_000

/**
 * Takes a lease that is free or expired, or renews the lease of this holder. The fence is a number
 * that grows when another process takes the lease. If the holder renews its own expired lease, the
 * fence stays the same. A lease that expires more than two lease times from now also counts as
 * expired: the clock of the database was ahead when this expiry was stored, and the holder may have
 * ended.
 *
 * @returns the fence; undefined if another process holds the lease
 */
export const holdLease: Command<
  { readonly name: string; readonly holder: string },
  { readonly fence: number | undefined }
> = command('holdLease', async (transaction, { name, holder }) => {
  const now = databaseTime(transaction)
  const expiresAt = sql<number>`${now} + ${sql.lit(leaseMilliseconds)}`
  const held = await inTables<LeaseTables>(transaction)
    .insertInto('lease')
    .values({ name, holder, fence: 1, expires_at: expiresAt })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({
          holder,
          fence: sql<number>`case when lease.holder = ${holder} then lease.fence
            else lease.fence + 1 end`,
          expires_at: expiresAt,
        })
        .where((row) =>
          row.or([
            row('lease.holder', '=', holder),
            row('lease.expires_at', '<=', now),
            row('lease.expires_at', '>', sql<number>`${now} + ${sql.lit(2 * leaseMilliseconds)}`),
          ]),
        ),
    )
    .returning('fence')
    .executeTakeFirst()
  return { fence: held?.fence }
})

/** The lease of a holder. Another process may have taken the lease in the meantime. */
export interface HeldLease {
  readonly name: string
  readonly fence: number
}

export const releaseLease: Command<HeldLease, void> = command(
  'releaseLease',
  async (transaction, { name, fence }) => {
    await inTables<LeaseTables>(transaction)
      .updateTable('lease')
      .set({ expires_at: 0 })
      .where('name', '=', name)
      .where('fence', '=', fence)
      .execute()
  },
)

/** The name and the values of a command that must run only while the lease is held. */
interface Leased {
  readonly lease: HeldLease
  readonly command: string
  readonly values: unknown
}

/** Runs another command, but only if the lease is still held. */
export type LeasedCommand = Command<
  Leased,
  { readonly isHeld: false } | { readonly isHeld: true; readonly result: unknown }
>

/**
 * Creates the command that runs another command under a lease. The created command locks the row of
 * the lease until the commit and compares the fence. So while the other command runs, no process
 * can take the lease. If another process has already taken the lease, the other command does not
 * run. So a holder that was paused and wakes up late writes nothing.
 *
 * @param commands the commands that it can run, which must include the commands of all jobs
 */
export function createLeasedCommand(commands: readonly AnyCommand[]): LeasedCommand {
  const byName = new Map(commands.map((known) => [known.name, known]))
  return command('underLease', async (transaction, { lease, command: name, values }) => {
    const known = byName.get(name)
    if (!known) throw new Error(`the list of commands must contain the command "${name}"`)

    // This update changes no value. It locks the row and compares its newest version.
    const row = await inTables<LeaseTables>(transaction)
      .updateTable('lease')
      .set((old) => ({ fence: old.ref('fence') }))
      .where('name', '=', lease.name)
      .where('fence', '=', lease.fence)
      .returning('fence')
      .executeTakeFirst()
    if (!row) return { isHeld: false }

    return { isHeld: true, result: await known.run(transaction, values as never) }
  })
}
