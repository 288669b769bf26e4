import { command, inTables, type AnyCommand, type Command } from '../../storage/database.ts'
import type { KnownDeviceTables } from './tables.ts'

const deviceKeyName = 'device_key'

/** Keeps the first secret that any process offers; says which one that is. */
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

export const commands: readonly AnyCommand[] = [claimDeviceKey]
