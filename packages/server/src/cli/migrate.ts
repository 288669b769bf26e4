import { describeSource } from '../storage/source.ts'
import type { OwnCall } from './command.ts'

/**
 * Runs the missing migrations. An operator can run this command with the database role that owns
 * the tables, and then start the servers with a different role.
 */
export async function migrate({ settings, withDatabase, terminal }: OwnCall): Promise<void> {
  const { options } = await settings()
  // Opening a database migrates it.
  await withDatabase(() => Promise.resolve(), { mayCreate: true })
  terminal.print(`the tables are up to date: ${describeSource(options.database)}`)
}
