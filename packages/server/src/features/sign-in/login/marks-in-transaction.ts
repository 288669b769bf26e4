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

const heldIf = (isHeld: boolean): Held => (isHeld ? 'held' : 'changed')

/** The proofs that work again. */
interface Compared {
  readonly password: Check
  readonly email_code: Check
}

/** The proofs that work once, except those of second factors. */
interface Spent {
  readonly enrolment: Check
  readonly recovery_code: Check
}

/** Excludes the proofs of an enrolment: with such a name, they would count as a second step. */
export type MethodName = Exclude<keyof Compared | keyof Spent, EnrolmentProof> | FactorName

/** Whether the account still has the credential with this mark. */
const compared: Compared = {
  // An app's own user was read again after the hash, and cannot be locked.
  password: ({ mark, account }) => heldIf(!account || passwordMark(account.password_hash) === mark),
  email_code: ({ mark, account }) => heldIf(!account || account.email === mark),
}

/** Spends a proof. Returns `changed` if it was spent before. */
const spent: Spent = {
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

const checks: Readonly<Record<string, Check>> = {
  ...compared,
  ...spent,
  ...Object.fromEntries(ofFactors),
}

/**
 * Whether the account still has what was proved. Checks in the order of this file, not in that of
 * the proofs: first compares, and then spends. So a login whose account has changed spends nothing.
 *
 * @throws {Error} for a proof without an entry: a proof that nothing compares must not count
 */
export async function areHeld(
  marks: Readonly<Record<string, string>>,
  proof: Omit<ProofInTransaction, 'mark'>,
): Promise<Held> {
  const unknown = Object.keys(marks).find((name) => !Object.hasOwn(checks, name))
  if (unknown !== undefined) throw new Error(`there must be an entry for the method ${unknown}`)

  for (const [name, check] of Object.entries(checks)) {
    const mark = marks[name]
    const held = mark === undefined ? 'held' : await check({ ...proof, mark })
    if (held !== 'held') return held
  }
  return 'held'
}
