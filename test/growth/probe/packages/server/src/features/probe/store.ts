import type { PurgeCommand } from '../../feature/clean-up.ts'
import { maxPurgedAtOnce } from '../../feature/clean-up.ts'
import { command, type AnyCommand, type Command } from '../../storage/database.ts'

type ProbeRow = {
  readonly id: string
  readonly subject: string
  readonly at: number
}

type ProbeTables = {
  readonly probe: ProbeRow
}

/** Inserts a probe. Returns how many the subject has. */
export const insertProbe: Command<ProbeRow, number> = command(
  'insertProbe',
  async (transaction, row) => {
    const db = transaction.withTables<ProbeTables>()
    await db.insertInto('probe').values(row).execute()
    const { count } = await db
      .selectFrom('probe')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('subject', '=', row.subject)
      .executeTakeFirstOrThrow()
    return Number(count)
  },
)

export const purgeProbes: PurgeCommand = command('purgeProbes', async (transaction, { before }) => {
  const db = transaction.withTables<ProbeTables>()
  const old = db.selectFrom('probe').select('id').where('at', '<', before).limit(maxPurgedAtOnce)
  const { numDeletedRows } = await db
    .deleteFrom('probe')
    .where('id', 'in', old)
    .executeTakeFirstOrThrow()
  return { purged: Number(numDeletedRows) }
})

export const commands: readonly AnyCommand[] = [insertProbe, purgeProbes]
