// What `keystile restore` and `keystile finish-restore` print at their end.

import type { Call } from '../../../feature/cli-command.ts'
import { countOf } from '../../../feature/count.ts'
import type { SigningKeyChoice } from '../../tokens/signing-keys/signing-key-source.ts'
import { timeOf } from './contents.ts'
import type { Finished } from './store.ts'

/** What a restore undoes, because it happened after the backup was made. */
export const lostChanges: string =
  'disabled users are enabled again, old passwords, secrets of clients and replaced ' +
  'authenticator apps work again, and users who have set up a second factor log in without it'

export function wireFinished(done: Finished): object {
  return {
    backed_up_at: timeOf(done.backedUpAt) ?? null,
    sessions_ended: done.sessionsEnded,
    revoked_key_ids: done.keysRevoked,
    ...done.deleted,
  }
}

/** Prints what `makeSafe()` has done, and what the operator must do next. */
export function printFinished(
  { flags, terminal }: Call<unknown>,
  done: Finished,
  { signingKey }: SigningKeyChoice,
): void {
  if (flags.has('keep-sessions')) terminal.print(keptSessions)
  else {
    terminal.print(describeEnded(done))
    if (signingKey !== undefined) terminal.print(signingKeyStays)
  }

  terminal.print(describeMails(done))
  const codes = describeRecoveryCodes(done)
  if (codes !== undefined) terminal.print(codes)
}

const keptSessions = 'kept all sessions: those that ended after the backup was made are valid again'

const signingKeyStays =
  'Tokens that were issued after the backup was made are valid until they expire, because ' +
  'Keystile does not replace the key of the setting signingKey. To end them now, replace ' +
  'that key, and run keystile key revoke with its kid'

function describeEnded({ sessionsEnded, keysRevoked }: Finished): string {
  const keys = countOf(keysRevoked.length, 'signing key')
  return `ended ${countOf(sessionsEnded, 'session')} and replaced ${keys}`
}

function describeMails({ deleted }: Finished): string {
  const { mails_deleted: mails = 0, links_deleted: links = 0 } = deleted
  if (mails + links === 0) return 'no mails waited, and no links or codes of mails were valid'

  const ofMails = countOf(links, 'link or code', 'links and codes')
  return (
    `deleted ${countOf(mails, 'waiting mail')} and ${ofMails} of mails, because ` +
    'they may have been sent or used after the backup was made'
  )
}

function describeRecoveryCodes({ deleted }: Finished): string | undefined {
  const { recovery_codes_deleted: codes = 0, users_without_recovery_codes: users = 0 } = deleted
  if (codes === 0) return undefined

  return (
    `deleted ${countOf(codes, 'recovery code')} of ${countOf(users, 'user')}, because they may ` +
    'have been used after the backup was made: these users must make new ones'
  )
}
