import { ProblemError } from 'keystile/internal'
import type { EventFeed } from '../../tokens/events/events.ts'
import type { Directory } from '../../users/directory/directory.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import type { FlowParts } from '../flows/flow.ts'
import { claimMilliseconds } from '../proofs/feature.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import {
  bindAppReset,
  bindReset,
  claimReset,
  finishReset,
  releaseReset,
  resetPassword,
  type Reset,
} from './store.ts'

/** The hash of a new password, and the proof with which a person may set it. */
export interface NewPassword extends Omit<Reset, 'now'> {
  readonly hash: string
}

/**
 * Binds requests and stores new passwords. There are two implementations: `accountPasswords()` for
 * Keystile's own accounts, and `directoryPasswords()` for the users of an app.
 */
export interface PasswordStore {
  /** Binds a request for a new password to its user, and stores the mail. */
  readonly bind: ProofPurpose['bind']
  /**
   * Spends the proof, sets the new password and ends all sessions of the user. When the promise
   * resolves, this process already refuses the tokens of the ended sessions.
   *
   * @returns false if the proof was already spent, or if the account or its address has changed
   */
  setPassword(wanted: NewPassword): Promise<boolean>
}

/** Stores new passwords in Keystile's own accounts, in the transaction that spends the proof. */
export function accountPasswords({ database, users, notices, clock }: FlowParts): PasswordStore {
  return {
    bind: bindReset,
    async setPassword(wanted) {
      const factorNotice = notices('factor_removed', wanted.by)
      const values = { ...wanted, factorNotice, now: clock.now() }
      const { isReset } = await database.write(resetPassword, values)
      if (isReset) await users.settle()
      return isReset
    },
  }
}

/** A directory whose app stores new passwords. */
type WritableDirectory<U> = Directory<U> & {
  readonly setPassword: NonNullable<Directory<U>['setPassword']>
}

interface DirectoryPasswordParts<U> extends Pick<FlowParts<U>, 'database' | 'clock'> {
  readonly directory: WritableDirectory<U>
  readonly feed: Pick<EventFeed, 'tail'>
}

// decisions/0024-new-passwords-of-an-apps-own-users.md
/**
 * Lets the app store new passwords in its own table, outside any transaction of Keystile. Keystile
 * first claims the proof, then calls the app, and then erases the proof. If the app fails, the
 * claim is released. If this process is killed after the app stored the password, the claim
 * expires, the proof works again, and the user can set the password once more.
 */
export function directoryPasswords<U>(parts: DirectoryPasswordParts<U>): PasswordStore {
  const { database, feed, clock } = parts
  return {
    bind: bindAppReset,
    async setPassword({ proof, hash, notice, by }) {
      const { claim } = await database.write(claimReset, { proof, now: clock.now() })
      if (claim === 'gone') return false
      if (claim === 'claimed') throw tryLater(claimMilliseconds / 1000)

      // If the release fails, the claim expires by itself.
      const release = () => database.write(releaseReset, claim).catch(() => undefined)
      const recipient = await writeWithApp(proof, hash, parts).catch(async (error: unknown) => {
        await release()
        throw error
      })
      if (recipient === undefined) {
        await release()
        return false
      }

      await database.write(finishReset, { proof: claim, recipient, notice, by, now: clock.now() })
      await feed.tail()
      return true
    },
  }
}

/**
 * Reads the user again, because hashing took some time, and lets the app store the new password.
 *
 * @returns the address of the user; undefined if the user or the address has changed
 * @throws {ProblemError} `temporarily_unavailable` if the stored hash changed at the same moment
 */
async function writeWithApp<U>(
  { subject, mailbox }: NewPassword['proof'],
  hash: string,
  { directory, feed }: DirectoryPasswordParts<U>,
): Promise<string | undefined> {
  // The claim has ended the sessions. This process must refuse their tokens, even if the app fails.
  await feed.tail()
  const user = await directory.findActive(subject)
  if (user === undefined) return undefined

  const [replaces, recipient] = [directory.storedHash(user), directory.email(user)]
  if (replaces === undefined || mailboxOf(recipient) !== mailbox) return undefined

  // Another writer was faster, perhaps a login that renewed the hash. The link is still good.
  if (!(await directory.setPassword(user, hash, { replaces }))) throw tryLater(1)
  return recipient
}

function tryLater(retryAfterSeconds: number): ProblemError {
  return new ProblemError(
    'temporarily_unavailable',
    'The password is being changed at this moment; try again later',
    { retryAfterSeconds },
  )
}
