// Each change of an account is in the audit record, and the app may follow it (`AppEvent`).
import type { JsonObject } from 'keystile/internal'
import type { Transaction } from '../../../storage/database.ts'
import type { AppEvent } from '../../operations/app-events/app-event.ts'
import { announceEvent } from '../../operations/app-events/in-transaction.ts'
import type { Act } from '../../operations/audit/entry.ts'
import { insertAudit } from '../../operations/audit/in-transaction.ts'
import { namesOfRights } from '../scopes/scopes.ts'
import { readRights, type StoredRights } from '../scopes/stored-rights.ts'
import type { AccountEvent } from './audit-events.ts'

/** Whose account a transaction changes, who caused the change, and when. */
export interface UserAct extends Act {
  readonly subject: string
}

type Change = Exclude<AccountEvent, 'password_refused'>
type Announced =
  | Pick<Extract<AppEvent, { type: 'changed' }>, 'type' | 'what'>
  | { readonly type: 'registered' | 'disabled' | 'enabled' | 'deleted' }

/** What the app gets to know of each change that the audit record names. */
const announced: Readonly<Record<Change, Announced>> = {
  user_created: { type: 'registered' },
  user_disabled: { type: 'disabled' },
  user_enabled: { type: 'enabled' },
  user_deleted: { type: 'deleted' },
  grants_changed: { type: 'changed', what: 'rights' },
  password_changed: { type: 'changed', what: 'password' },
  email_changed: { type: 'changed', what: 'email' },
  profile_changed: { type: 'changed', what: 'profile' },
}

/** Writes the audit entry of a change, and announces the change to the app. */
export async function recordChange(
  transaction: Transaction,
  event: Change,
  act: UserAct,
  detail?: JsonObject,
): Promise<void> {
  const { subject, by, now } = act
  await insertAudit<AccountEvent>(transaction, { event, at: now, by, subject, detail })
  await announceChange(transaction, event, act)
}

/** Announces a change to the app. Does NOT write the audit entry. */
export async function announceChange(
  transaction: Transaction,
  change: Change,
  { subject, by, now }: UserAct,
): Promise<void> {
  const happened = { subject, actor: by.actor, at: new Date(now) }
  await announceEvent(transaction, { ...announced[change], ...happened })
}

/**
 * Returns the names of a user's roles and scopes in the form of the audit record, such as
 * `role:admin`.
 */
export function grantNames(rights: StoredRights): readonly string[] {
  return namesOfRights(readRights(rights))
}
