import type { Call } from '../../../feature/cli-command.ts'
import { makeReplacement } from '../../tokens/signing-keys/replacement.ts'
import type { SigningKeyChoice } from '../../tokens/signing-keys/signing-key-source.ts'
import { byOperator } from '../audit/by.ts'
import { createFinishRestore, type Finished } from './store.ts'

/**
 * Opens and migrates a restored database, and makes it safe to use, for `keystile restore` and
 * `keystile finish-restore`. The flag `--keep-sessions` leaves sessions and signing keys as they
 * are.
 *
 * @param where.file the SQLite file to open instead of the database of the settings
 * @throws {ConfigurationError} if the keys in the database were encrypted with a different secret
 */
export async function makeSafe(
  { flags, clock, ofUser, withDatabase }: Call<unknown>,
  options: SigningKeyChoice,
  where: { readonly file?: string } = {},
): Promise<Finished> {
  const keepsSessions = flags.has('keep-sessions')
  let done: Finished | undefined
  await withDatabase(async (database) => {
    // Made even if the keys stay, because this checks the secret of the stored keys.
    const replacement = await makeReplacement(database, options)
    done = await database.write(createFinishRestore(ofUser), {
      keepsSessions,
      offered: keepsSessions ? undefined : replacement,
      by: byOperator,
      now: clock.now(),
    })
  }, where)
  if (!done) throw new Error('withDatabase() must call the function that it gets')
  return done
}
