// The command by which an administrator changes the rights of an account, or disables it.
import { command, inTables, type Command, type Transaction } from '../../../storage/database.ts'
import { clearResetMails } from '../../mail/outbox/in-transaction.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import { eraseProofsExceptFactorUndo } from '../../mail/proofs/erase-in-transaction.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import type { SessionEvent } from '../../tokens/sessions/audit-events.ts'
import { endSessions } from '../../tokens/sessions/in-transaction.ts'
import type { StoredRights } from '../scopes/stored-rights.ts'
import {
  hasAdminRole,
  hasRights,
  isLastAdministrator,
  lockAdministration,
  type Author,
} from './administrator-store.ts'
import { grantNames, recordChange, type UserAct } from './changes-in-transaction.ts'
import { lockUser } from './lock-in-transaction.ts'
import { notify } from './notify-in-transaction.ts'
import type { AccountTables } from './tables.ts'
import { updateUser } from './update-user-in-transaction.ts'

/** The rights of a user as stored, and whether the user is disabled. */
export interface StoredAccess extends StoredRights {
  readonly disabled: boolean
}

/** A change that an administrator makes to a user. */
interface StoredUserChange extends UserAct {
  /**
   * The state that the administrator read. If the stored state differs, the result is `outdated`.
   */
  readonly expected: StoredAccess
  readonly wanted: StoredAccess
  readonly author: Author | undefined
  /** Whether to end all sessions of the user even if the change does not disable the user. */
  readonly endsSessions: boolean
  /**
   * A mail that tells the user that the account is disabled. It is sent only if this change
   * disables the account.
   */
  readonly notice: NewMail | undefined
}

export type ChangeOutcome = 'changed' | 'outdated' | 'last-administrator'

/**
 * Changes a user's scopes and roles, and disables or enables the user. Disabling ends all sessions
 * and erases the user's proofs in the same transaction: their links and codes must not work again
 * when the user is enabled. Compares the caller's stored rights with the expected rights while it
 * holds the lock `administration`. So a caller who has just lost a right can neither give it to
 * another user nor still use it.
 *
 * Does NOT check that the scopes and roles are declared, or that the caller may give them.
 */
export const changeUser: Command<StoredUserChange, ChangeOutcome> = command(
  'changeUser',
  async (transaction, change) => {
    const { subject, now, expected, wanted, author, endsSessions, notice } = change
    const db = inTables<AccountTables>(transaction)

    await lockAdministration(db)
    if (author && !(await hasRights(db, author))) return 'outdated'
    const staysAdministrator = hasAdminRole(wanted.roles) && !wanted.disabled
    if (!staysAdministrator && (await isLastAdministrator(db, subject))) return 'last-administrator'

    const before = await lockUser(transaction, subject)
    if (!before || !isSameAccess(expected, { ...before, disabled: before.disabled_at !== null }))
      return 'outdated'

    const { scopes, roles, disabled } = wanted
    const disabled_at = disabled ? (before.disabled_at ?? now) : null
    await updateUser(transaction, { scopes, roles, disabled_at }, { subject, now })
    const ended = disabled || endsSessions ? await endSessions(transaction, { subject, now }) : 0
    await recordChanges(transaction, change, ended)
    if (disabled && !expected.disabled) {
      await eraseProofsExceptFactorUndo(transaction, subject)
      const { email: recipient } = before
      if (recipient !== null) await clearResetMails(transaction, { subject, recipient, now })
      await notify(transaction, notice, { ...before, subject, now })
    }
    return 'changed'
  },
)

function isSameAccess(a: StoredAccess, b: StoredAccess): boolean {
  return a.scopes === b.scopes && a.roles === b.roles && a.disabled === b.disabled
}

/**
 * Writes the audit entries of a change: one if roles or scopes changed, and one if the user was
 * disabled or enabled. A change that ends the sessions without disabling the user also gets an
 * entry about the sessions. Disabling always ends the sessions, so one entry is enough for both.
 * Enabling ends no sessions, because a disabled user has none.
 *
 * @param ended how many sessions the change ended
 */
async function recordChanges(
  transaction: Transaction,
  { subject, by, now, expected, wanted }: StoredUserChange,
  ended: number,
): Promise<void> {
  const act = { subject, by, now }
  const [had, has] = [grantNames(expected), grantNames(wanted)]
  const given = has.filter((name) => !had.includes(name))
  const taken = had.filter((name) => !has.includes(name))
  if (given.length > 0 || taken.length > 0)
    await recordChange(transaction, 'grants_changed', act, { given, taken })

  if (wanted.disabled !== expected.disabled)
    await recordChange(transaction, wanted.disabled ? 'user_disabled' : 'user_enabled', act)
  else if (ended > 0)
    await insertAudit<SessionEvent>(transaction, { event: 'sessions_ended', at: now, by, subject })
}
