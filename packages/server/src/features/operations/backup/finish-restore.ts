import type { Call } from '../../../feature/cli-command.ts'
import { lostChanges, printFinished, wireFinished } from './finish-report.ts'
import { makeSafe } from './make-safe.ts'
import type { Options } from './options.ts'

/**
 * `keystile finish-restore`: makes a database safe that another program, such as pg_restore, has
 * restored.
 */
export async function finishRestore(call: Call<Options>): Promise<void> {
  const { flags, terminal } = call
  const { options } = await call.settings()
  const done = await makeSafe(call, options)
  if (flags.has('json')) return terminal.printJson(wireFinished(done))

  printFinished(call, done, options)
  terminal.print(`Now start the servers, and repeat the changes that were lost: ${lostChanges}`)
}
