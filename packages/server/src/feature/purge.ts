import { command, inTables } from '../storage/database.ts'
import { withoutLocked } from '../storage/portable-sql.ts'
import { maxPurgedAtOnce, type PurgeCommand } from './clean-up.ts'

/** Any table whose rows expire. `key` stands for its primary key. */
interface Tables {
  readonly expiring: { readonly key: string; readonly expires_at: number }
}

/**
 * Creates the command that deletes expired rows of a table. It skips rows that another transaction
 * has locked. If it waited for them, the two transactions could deadlock.
 *
 * @param key the column of the primary key
 */
export function createPurge(name: string, table: string, key = 'id'): PurgeCommand {
  // These casts stand in for all tables with such rows, which this room does not know.
  const [rows, column] = [table as 'expiring', key as 'key']
  return command(name, async (transaction, { before }) => {
    const db = inTables<Tables>(transaction)
    const query = db
      .selectFrom(rows)
      .select(column)
      .where('expires_at', '<', before)
      .orderBy('expires_at')
      .limit(maxPurgedAtOnce)
    const found = await withoutLocked(transaction, query).execute()
    if (found.length === 0) return { purged: 0 }

    const keys = found.map((row) => row[column])
    await db.deleteFrom(rows).where(column, 'in', keys).execute()
    return { purged: found.length }
  })
}
