import { command, type AnyCommand, type Command } from '../../storage/database.ts'

const deviceKeyName = 'device_key'

/** Keeps the first secret that any process offers; says which one that is. */
export const claimDeviceKey: Command<string, string> = command('claimDeviceKey', async (transaction, offered) => {
  await transaction
    .insertInto('setting')
    .values({ name: deviceKeyName, value: offered })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { value } = await transaction
    .selectFrom('setting')
    .select('value')
    .where('name', '=', deviceKeyName)
    .executeTakeFirstOrThrow()
  return value
})

export const commands: readonly AnyCommand[] = [claimDeviceKey]
