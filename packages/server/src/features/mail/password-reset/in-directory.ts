import { ProblemError, type Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import type { Directory } from '../../users/directory/directory.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { claimMilliseconds } from '../proofs/feature.ts'
import type { NewPassword, PasswordStore } from './new-password.ts'
import { bindAppReset, claimReset, finishReset, releaseReset, type ResetClaim } from './store.ts'

/** A directory whose app stores new passwords. */
export type WritableDirectory<U> = Directory<U> & {
  readonly setPassword: NonNullable<Directory<U>['setPassword']>
}

interface DirectoryPasswordParts<U> {
  readonly database: Pick<Database, 'write'>
  readonly directory: WritableDirectory<U>
  readonly feed: Pick<EventFeed, 'tail'>
  readonly clock: Clock
}

// decisions/0024-new-passwords-of-an-apps-own-users.md
/**
 * Lets the app store new passwords in its own table, outside any transaction of Keystile. Keystile
 * first claims the proof, then calls the app, and then erases the proof. If the app fails, the
 * claim is released. If this process is killed after the app stored the password, the claim
 * expires, the proof works again, and the user can set the password once more.
 */
export function directoryPasswords<U>(parts: DirectoryPasswordParts<U>): PasswordStore {
  return { bind: bindAppReset, setPassword: (wanted) => setPassword(wanted, parts) }
}

async function setPassword<U>(
  { proof, hash, notice, by }: NewPassword,
  parts: DirectoryPasswordParts<U>,
): Promise<boolean> {
  const { database, feed, clock } = parts
  const { claim } = await database.write(claimReset, { proof, now: clock.now() })
  if (claim === 'gone') return false
  if (claim === 'claimed') throw tryLater(claimMilliseconds / 1000)

  let recipient: string | undefined
  try {
    recipient = await writeWithApp(claim, hash, parts)
  } catch (error) {
    await release(claim, parts)
    throw error
  }
  if (recipient === undefined) {
    await release(claim, parts)
    return false
  }

  await database.write(finishReset, { proof: claim, recipient, notice, by, now: clock.now() })
  await feed.tail()
  return true
}

/**
 * Reads the user again, because hashing took some time, and lets the app store the new password.
 *
 * @returns the address of the user; undefined if the user or the address has changed
 * @throws {ProblemError} `temporarily_unavailable` if the stored hash changed at the same moment
 */
async function writeWithApp<U>(
  { subject, mailbox }: ResetClaim,
  hash: string,
  { directory, feed }: DirectoryPasswordParts<U>,
): Promise<string | undefined> {
  await feed.tail() // the claim has ended the sessions, also if the app fails now
  const user = await directory.findActive(subject)
  if (user === undefined) return undefined

  const [replaces, recipient] = [directory.storedHash(user), directory.email(user)]
  if (replaces === undefined || mailboxOf(recipient) !== mailbox) return undefined

  // Another writer was faster, perhaps a login that renewed the hash. The link is still good.
  if (!(await directory.setPassword(user, hash, { replaces }))) throw tryLater(1)
  return recipient
}

/** Releases a claim. If that fails, the claim expires by itself. */
async function release<U>(
  claim: ResetClaim,
  { database }: Pick<DirectoryPasswordParts<U>, 'database'>,
): Promise<void> {
  await database.write(releaseReset, claim).catch(() => undefined)
}

function tryLater(retryAfterSeconds: number): ProblemError {
  return new ProblemError(
    'temporarily_unavailable',
    'The password is being changed at this moment; try again later',
    { retryAfterSeconds },
  )
}
