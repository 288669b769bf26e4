import type { Transaction } from '../../../storage/database.ts'
import { clearUses } from '../../operations/limits/in-transaction.ts'
import { useOf } from '../../operations/limits/uses.ts'
import { countedLogin } from './counted-login.ts'
import { emailCodeRate, factorKnownRate, factorRate, nameRate } from './rates.ts'

/**
 * Sets the counts of guesses for an account back to zero. Otherwise the owner, to whom an operator
 * has just given a new password, would have to wait until these limits refill. Do NOT call it
 * after a proof by mail: a person who only reads the mailbox would get more guesses of codes, and
 * the owner of `ada@exämple.com` more guesses for `ada@example.com`, which has the same count.
 *
 * Call it as late as possible in a transaction, but before a mail is stored, as a login does.
 *
 * @param guesses.names the names that the user can log in with
 */
export async function clearGuesses(
  transaction: Transaction,
  guesses: {
    readonly subject: string
    readonly names: readonly (string | null | undefined)[]
  },
): Promise<void> {
  const { subject } = guesses
  const names = guesses.names.filter((name) => name != null)
  await clearUses(transaction, [
    ...names.map((name) => useOf(nameRate, countedLogin(name))),
    useOf(factorRate, subject),
    useOf(factorKnownRate, subject),
    useOf(emailCodeRate, subject),
  ])
}
