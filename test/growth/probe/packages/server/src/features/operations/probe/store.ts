import { maxPurgedAtOnce, type PurgeCommand } from '../../../feature/clean-up.ts'
import type { OfUser } from '../../../feature/of-user.ts'
import {
  command,
  inTables,
  type AnyCommand,
  type Command,
  type Reader,
} from '../../../storage/database.ts'
import type { By } from '../audit/entry.ts'
import { insertAudit } from '../audit/in-transaction.ts'

/** What probes write into the audit record. */
export type ProbeEvent = 'probe_made'

interface ProbeTables {
  readonly probe: { readonly id: string; readonly subject: string; readonly at: number }
}

interface NewProbe {
  readonly id: string
  readonly subject: string
  readonly by: By
  readonly now: number
}

/** Inserts a probe. Returns how many the subject has. */
export const insertProbe: Command<NewProbe, number> = command(
  'insertProbe',
  async (transaction, { id, subject, by, now }) => {
    const db = inTables<ProbeTables>(transaction)
    await db.insertInto('probe').values({ id, subject, at: now }).execute()
    await insertAudit<ProbeEvent>(transaction, { event: 'probe_made', at: now, by, subject })
    const { count } = await db
      .selectFrom('probe')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('subject', '=', subject)
      .executeTakeFirstOrThrow()
    return Number(count)
  },
)

export const purgeProbes: PurgeCommand = command('purgeProbes', async (transaction, { before }) => {
  const db = inTables<ProbeTables>(transaction)
  const old = db.selectFrom('probe').select('id').where('at', '<', before).limit(maxPurgedAtOnce)
  const { numDeletedRows } = await db
    .deleteFrom('probe')
    .where('id', 'in', old)
    .executeTakeFirstOrThrow()
  return { purged: Number(numDeletedRows) }
})

export async function countProbes(reader: Reader): Promise<number> {
  const query = inTables<ProbeTables>(reader).selectFrom('probe')
  const { count } = await query
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

export const commands: readonly AnyCommand[] = [insertProbe, purgeProbes]

export const ofUser: OfUser = {
  async erase(transaction, { subject }) {
    const db = inTables<ProbeTables>(transaction)
    await db.deleteFrom('probe').where('subject', '=', subject).execute()
  },
}
