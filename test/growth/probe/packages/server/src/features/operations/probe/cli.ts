import type { Call } from '../../../feature/cli-command.ts'
import { countProbes } from './store.ts'

export async function count({ terminal, withDatabase }: Call<unknown>): Promise<void> {
  await withDatabase(async ({ reader }) => terminal.print(`${await countProbes(reader)} probes`))
}
