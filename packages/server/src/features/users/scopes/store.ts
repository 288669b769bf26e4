// The scopes and roles that the latest start declared.
import { command, inTables, type Command, type Reader } from '../../../storage/database.ts'
import type { ScopeTables } from './tables.ts'

const name = 'declared'

/** Replaces the stored scopes and roles. The value is JSON. */
export const storeDeclared: Command<string, void> = command(
  'storeDeclared',
  async (transaction, value) => {
    await inTables<ScopeTables>(transaction)
      .insertInto('setting')
      .values({ name, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute()
  },
)

/** Returns the stored scopes and roles as JSON; undefined before the first start. */
export async function readDeclared(reader: Reader): Promise<string | undefined> {
  const row = await inTables<ScopeTables>(reader)
    .selectFrom('setting')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.value
}
