// The deletion of a user, by an administrator or by the users themselves.
import type { Kysely } from 'kysely'
import type { OfUser } from '../../../feature/of-user.ts'
import { command, inTables, type Command } from '../../../storage/database.ts'
import { lacksFactor } from '../../credentials/second-factors/factors-in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import { insertEvents } from '../../tokens/events/in-transaction.ts'
import {
  endSessions,
  findLatestExpiry,
  hasSessionEnded,
} from '../../tokens/sessions/in-transaction.ts'
import {
  hasRights,
  isLastAdministrator,
  lockAdministration,
  type Author,
} from './administrator-store.ts'
import { recordChange, type UserAct } from './changes-in-transaction.ts'
import { lockUser } from './lock-in-transaction.ts'
import { notify } from './notify-in-transaction.ts'
import type { AccountTables, UserRow } from './tables.ts'
import { updateUser } from './update-user-in-transaction.ts'

interface Deletion extends UserAct {
  /** Left out if the users themselves delete their accounts. */
  readonly author?: Author | undefined
  /** The mail that tells the user. It is sent only to a verified address. */
  readonly notice?: NewMail | undefined
  /**
   * The same for the oldest former address that can still be restored: a thief may have changed the
   * address.
   */
  readonly formerNotice?: NewMail | undefined
}

/**
 * Creates the command that deletes a user's data and ends the sessions, in one transaction. The row
 * keeps the subject and the name, so that another person cannot register the name and be mistaken
 * for this user. `outdated` means that the author has lost the rights, or that the request has lost
 * its session or lacks the factor by now.
 *
 * @param ofUser what all features store about users
 */
export function createDeleteUser(
  ofUser: readonly OfUser[],
): Command<Deletion, 'deleted' | 'absent' | 'outdated' | 'last-administrator'> {
  return command('deleteUser', async (transaction, { notice, formerNotice, author, ...act }) => {
    const { subject, now } = act
    const db = inTables<AccountTables>(transaction)

    await lockAdministration(db)
    if (author && !(await hasRights(db, author))) return 'outdated'
    if (await isLastAdministrator(db, subject)) return 'last-administrator'
    const account = await lockUser(transaction, subject)
    if (!account) return 'absent'
    if (await hasSessionEnded(transaction, act)) return 'outdated'
    if (await lacksFactor(transaction, act)) return 'outdated'

    // The owner of an address that is not verified may be another person, who keeps an invitation
    // to it, and gets no mail.
    const present = account.email_verified_at === null ? [] : [account]
    const former = await listFormerAddresses(db, act)
    const mailboxes = [...present, ...former]
      .map(({ email_key }) => email_key)
      .filter((key) => key !== null)

    await updateUser(transaction, { ...erased, deleted_at: now }, { subject, now })
    for (const { erase } of ofUser) await erase?.(transaction, { subject, mailboxes })
    await endSessions(transaction, { subject, now })
    // Verifiers in other processes must refuse the user's tokens until the last token has expired.
    const tokensExpireAt = await findLatestExpiry(transaction, subject)
    await insertEvents(transaction, [{ kind: 'subject', value: subject, tokensExpireAt }], now)
    await recordChange(transaction, 'user_deleted', act)

    for (const to of present) await notify(transaction, notice, { ...to, subject, now }, 'removal')
    const oldest = former.find(({ email_key }) => email_key !== account.email_key)
    if (oldest) await notify(transaction, formerNotice, { ...oldest, subject, now }, 'removal')
    return 'deleted'
  })
}

/** What replaces the columns of a deleted user. */
const erased = {
  username: '',
  email: null,
  email_key: null,
  email_verified_at: null,
  password_hash: '',
  password_session: null,
  scopes: '[]',
  roles: '[]',
  profile: '{}',
}

type FormerAddress = Pick<UserRow, 'email' | 'email_key' | 'email_verified_at'>

/** Returns the verified addresses that a locked user can still restore, the oldest first. */
function listFormerAddresses(
  db: Kysely<AccountTables>,
  { subject, now }: Pick<Deletion, 'subject' | 'now'>,
): Promise<readonly FormerAddress[]> {
  return db
    .selectFrom('former_email')
    .select(['email', 'email_key', 'email_verified_at'])
    .where('subject', '=', subject)
    .where('email_verified_at', 'is not', null)
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .execute()
}
