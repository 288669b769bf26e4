import type { Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import type { Users } from '../../users/accounts/users.ts'
import type { PasswordStore } from './new-password.ts'
import { bindReset, resetPassword } from './store.ts'

/** Stores new passwords in Keystile's own accounts, in the transaction that spends the proof. */
export function accountPasswords(
  database: Pick<Database, 'write'>,
  { users, clock }: { readonly users: Pick<Users, 'settle'>; readonly clock: Clock },
): PasswordStore {
  return {
    bind: bindReset,
    async setPassword(wanted) {
      const { isReset } = await database.write(resetPassword, { ...wanted, now: clock.now() })
      if (isReset) await users.settle()
      return isReset
    },
  }
}
