// What each method's proof must still agree with when the login ends. The writer thread loads this
// file, so it must not load a method itself.
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import {
  hasSecondFactor,
  spendRecoveryCode,
  spendStep,
} from '../../credentials/second-factors/in-transaction.ts'
import { addFirstApp } from './enrolment-in-transaction.ts'
import type { Transaction } from '../../../storage/database.ts'
import type { MarkInTransaction } from './mark-in-transaction.ts'

/**
 * For each method, whether the account still has the credential with this mark. A method whose
 * proofs work once spends the proof here.
 */
const marks: Readonly<Record<string, (proof: MarkInTransaction) => boolean | Promise<boolean>>> = {
  // An app's own user was read again after the hash, and cannot be locked.
  password: ({ mark, account }) => !account || passwordMark(account.password_hash) === mark,
  email_code: ({ mark, account }) => !account || account.email === mark,
  // Comes before the mark of the first code, which needs the app.
  enrolment: addFirstApp,
  otp({ transaction, mark, subject }) {
    const [step, sealed] = JSON.parse(mark) as readonly [number, string]
    return spendStep(transaction, { subject, sealed, step })
  },
  recovery_code: ({ transaction, mark: id, subject }) =>
    spendRecoveryCode(transaction, { subject, id }),
}

/** @throws {Error} for a method without an entry: a proof that nothing compares must not count */
export async function holds(method: string, proof: MarkInTransaction): Promise<boolean> {
  const compare = marks[method]
  if (!compare) throw new Error(`there must be an entry for the method ${method}`)
  return compare(proof)
}

/**
 * For each method that demands a second step, whether this user has set it up. The user may have
 * done so since the policy looked.
 */
export const demands: Readonly<
  Record<string, (transaction: Transaction, subject: string) => Promise<boolean>>
> = { otp: hasSecondFactor }

/** Whether each login of this user must prove a second step, as the transaction sees it. */
export async function demandsSecondStep(
  transaction: Transaction,
  subject: string,
): Promise<boolean> {
  for (const isSetUp of Object.values(demands)) if (await isSetUp(transaction, subject)) return true
  return false
}
