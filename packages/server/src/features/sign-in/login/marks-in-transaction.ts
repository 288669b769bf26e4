// What each method's proof must still agree with when the login ends. The writer thread loads this
// file, so it must not load a method itself.
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import {
  secondFactors,
  type FactorName,
} from '../../credentials/second-factors/factors-in-transaction.ts'
import { spendRecoveryCode } from '../../credentials/second-factors/recovery-in-transaction.ts'
import { addFirstApp, type EnrolmentProof } from './enrolment-in-transaction.ts'
import type { Held, ProofInTransaction } from './proof-in-transaction.ts'

type Check = (proof: ProofInTransaction) => Held | Promise<Held>

/** The proofs that are checked here. A second factor has its check in `secondFactors`. */
type CheckedHere = 'password' | 'recovery_code' | EnrolmentProof

/** Excludes the proofs of an enrolment: with such a name, they would count as a second step. */
export type MethodName = Exclude<CheckedHere, EnrolmentProof> | FactorName

const heldIf = (isHeld: boolean): Held => (isHeld ? 'held' : 'changed')

/**
 * In the order in which a login checks them: first what it compares, because the proof works again,
 * and then what it spends. So a login whose account has changed spends nothing.
 */
const checkedHere: Readonly<Record<CheckedHere, Check>> = {
  // An app's own user was read again after the hash, and cannot be locked.
  password: ({ mark, account }) => heldIf(!account || passwordMark(account.password_hash) === mark),
  email_code: ({ mark, account }) => heldIf(!account || account.email === mark),
  // Comes before the first code, which needs the app.
  enrolment: addFirstApp,
  recovery_code: async ({ transaction, mark: id, subject }) =>
    heldIf(await spendRecoveryCode(transaction, { subject, id })),
}

/** Compares or spends the proof of a second factor. A login has one, so its check comes last. */
const ofFactors = Object.entries(secondFactors).map(([name, { isHeld }]): [string, Check] => [
  name,
  async ({ transaction, subject, mark }) => heldIf(await isHeld(transaction, { subject, mark })),
])

const checks: ReadonlyMap<string, Check> = new Map([...Object.entries(checkedHere), ...ofFactors])

/**
 * Whether the account still has what was proved. The order is that of `checks`, not that of the
 * proofs.
 *
 * @throws {Error} for a proof without a check: a proof that nothing compares must not count
 */
export async function areHeld(
  marks: Readonly<Record<string, string>>,
  proof: Omit<ProofInTransaction, 'mark'>,
): Promise<Held> {
  const unknown = Object.keys(marks).find((name) => !checks.has(name))
  if (unknown !== undefined) throw new Error(`there must be an entry for the method ${unknown}`)

  for (const [name, check] of checks) {
    const mark = marks[name]
    const held = mark === undefined ? 'held' : await check({ ...proof, mark })
    if (held !== 'held') return held
  }
  return 'held'
}
