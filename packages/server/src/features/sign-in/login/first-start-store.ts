import { command, inTables, type Command } from '../../../storage/database.ts'

/** The table with the time of the first start, in the row `first_start_with_app_users`. */
interface SettingTables {
  readonly setting: { readonly name: string; readonly value: string }
}

const name = 'first_start_with_app_users'

/**
 * Stores the time of the first start with an app's own users, unless it is already stored. Returns
 * the stored time, in milliseconds.
 */
export const claimFirstStart: Command<number, number> = command(
  'claimFirstStart',
  async (transaction, now) => {
    const db = inTables<SettingTables>(transaction)
    await db
      .insertInto('setting')
      .values({ name, value: String(now) })
      .onConflict((conflict) => conflict.doNothing())
      .execute()

    const { value } = await db
      .selectFrom('setting')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirstOrThrow()
    return Number(value)
  },
)
