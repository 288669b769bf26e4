import { describeSource } from '../storage/source.ts'
import type { OwnCall } from './command.ts'

/**
 * Runs the missing migrations. With this command, a database role that owns the tables can migrate
 * before the servers start with another role.
 */
export async function migrate({ settings, withDatabase, terminal }: OwnCall): Promise<void> {
  const { options } = await settings()
  // Opening a database migrates it.
  await withDatabase(() => Promise.resolve(), { mayCreate: true })
  terminal.print(`the tables are up to date: ${describeSource(options.database)}`)
}
