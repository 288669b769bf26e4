import { command, inTables, type Command } from '../../../storage/database.ts'
import type { KnownDeviceTables } from './tables.ts'

const deviceKeyName = 'device_key'

/**
 * Stores the offered key for device secrets, unless a key is already stored. Returns the stored
 * key. So if several processes offer a key, all of them get the first one.
 */
export const claimDeviceKey: Command<string, string> = command(
  'claimDeviceKey',
  async (transaction, offered) => {
    const db = inTables<KnownDeviceTables>(transaction)
    await db
      .insertInto('setting')
      .values({ name: deviceKeyName, value: offered })
      .onConflict((conflict) => conflict.doNothing())
      .execute()

    const { value } = await db
      .selectFrom('setting')
      .select('value')
      .where('name', '=', deviceKeyName)
      .executeTakeFirstOrThrow()
    return value
  },
)
