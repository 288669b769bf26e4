// Makes a restored database safe to use: for `keystile restore` and `keystile finish-restore`.

import type { Call } from '../../../feature/cli-command.ts'
import { countOf } from '../../../feature/count.ts'
import { byOperator } from '../audit/by.ts'
import { makeReplacement } from '../../tokens/signing-keys/replacement.ts'
import type { SigningKeyChoice } from '../../tokens/signing-keys/signing-key-source.ts'
import { timeOf } from './contents.ts'
import { createFinishRestore, type Finished } from './store.ts'

export type FinishOptions = SigningKeyChoice

/**
 * Opens and migrates the restored database, and makes it safe to use. The flag `--keep-sessions`
 * leaves sessions and signing keys as they are.
 *
 * @param where.file the SQLite file to open instead of the database of the settings
 * @throws {ConfigurationError} if the keys in the database were encrypted with a different secret
 */
export async function finish(
  { flags, clock, ofUser, withDatabase }: Call<FinishOptions>,
  options: FinishOptions,
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

export function wireFinished(done: Finished): object {
  return {
    backed_up_at: timeOf(done.backedUpAt) ?? null,
    sessions_ended: done.sessionsEnded,
    revoked_key_ids: done.keysRevoked,
    ...done.deleted,
  }
}

/** Prints what `finish()` has done, and what the operator must do next. */
export function printFinished(
  { flags, terminal }: Call<unknown>,
  { sessionsEnded, keysRevoked, deleted }: Finished,
  { signingKey }: FinishOptions,
): void {
  terminal.print(
    flags.has('keep-sessions')
      ? 'kept all sessions: those that ended after the backup was made are valid again'
      : `ended ${countOf(sessionsEnded, 'session')} and replaced ` +
          countOf(keysRevoked.length, 'signing key'),
  )
  if (signingKey !== undefined && !flags.has('keep-sessions'))
    terminal.print(
      'Tokens that were issued after the backup was made are valid until they expire, because ' +
        'Keystile does not replace the key of the setting signingKey. To end them now, replace ' +
        'that key, and run keystile key revoke with its kid',
    )
  const { mails_deleted: mails = 0, links_deleted: links = 0 } = deleted
  const ofMails = countOf(links, 'link or code', 'links and codes')
  terminal.print(
    mails + links === 0
      ? 'no mails waited, and no links or codes of mails were valid'
      : `deleted ${countOf(mails, 'waiting mail')} and ${ofMails} of mails, because ` +
          'they may have been sent or used after the backup was made',
  )
  const { recovery_codes_deleted: codes = 0, users_without_recovery_codes: users = 0 } = deleted
  if (codes > 0)
    terminal.print(
      `deleted ${countOf(codes, 'recovery code')} of ${countOf(users, 'user')}, because they may ` +
        'have been used after the backup was made: these users must make new ones',
    )
}
