// What each method's proof must still agree with when the login ends. The writer thread loads this
// file, so it must not load a method itself.
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import {
  hasSecondFactor,
  spendRecoveryCode,
  spendStep,
} from '../../credentials/second-factors/in-transaction.ts'
import { addFirstApp, type EnrolmentProof } from './enrolment-in-transaction.ts'
import type { Transaction } from '../../../storage/database.ts'
import type { ProofInTransaction } from './proof-in-transaction.ts'

type Check = (proof: ProofInTransaction) => boolean | Promise<boolean>

/** The proofs that work again. */
interface Compared {
  readonly password: Check
  readonly email_code: Check
}

/** The proofs that work once. */
interface Spent {
  readonly enrolment: Check
  readonly otp: Check
  readonly recovery_code: Check
}

/** Excludes the proofs of an enrolment: with such a name, they would count as a second step. */
export type MethodName = Exclude<keyof Compared | keyof Spent, EnrolmentProof>

/** Whether the account still has the credential with this mark. */
const compared: Compared = {
  // An app's own user was read again after the hash, and cannot be locked.
  password: ({ mark, account }) => !account || passwordMark(account.password_hash) === mark,
  email_code: ({ mark, account }) => !account || account.email === mark,
}

/** Spends a proof. Returns false if it was spent before. */
const spent: Spent = {
  // Comes before the first code, which needs the app.
  enrolment: addFirstApp,
  otp({ transaction, mark, subject }) {
    const [step, sealed] = JSON.parse(mark) as readonly [number, string]
    return spendStep(transaction, { subject, sealed, step })
  },
  recovery_code: ({ transaction, mark: id, subject }) =>
    spendRecoveryCode(transaction, { subject, id }),
}

const checks: Readonly<Record<string, Check>> = { ...compared, ...spent }

/**
 * Whether the account still has what was proved. Checks in the order of this file, not in that of
 * the proofs: first compares, and then spends. So a login whose account has changed spends nothing.
 *
 * @throws {Error} for a proof without an entry: a proof that nothing compares must not count
 */
export async function areHeld(
  marks: Readonly<Record<string, string>>,
  proof: Omit<ProofInTransaction, 'mark'>,
): Promise<boolean> {
  const unknown = Object.keys(marks).find((name) => !Object.hasOwn(checks, name))
  if (unknown !== undefined) throw new Error(`there must be an entry for the method ${unknown}`)

  for (const [name, isHeld] of Object.entries(checks)) {
    const mark = marks[name]
    if (mark !== undefined && !(await isHeld({ ...proof, mark }))) return false
  }
  return true
}

/**
 * For each method that demands a second step, whether this user has set it up. The user may have
 * done so since the policy looked.
 */
export const demands: Readonly<
  Record<string, (transaction: Transaction, subject: string) => Promise<boolean>>
> = {
  otp: hasSecondFactor,
}

/** Whether each login of this user must prove a second step, as the transaction sees it. */
export async function demandsSecondStep(
  transaction: Transaction,
  subject: string,
): Promise<boolean> {
  for (const isSetUp of Object.values(demands)) if (await isSetUp(transaction, subject)) return true
  return false
}
