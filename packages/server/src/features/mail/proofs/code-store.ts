// Finds a proof by its code, and limits guesses: a code has only eight digits.
import { countedMailbox } from '../../../base/mailbox.ts'
import { hashSecret, isSecretOf } from '../../../base/secret.ts'
import { command, inTables, type Command } from '../../../storage/database.ts'
import { countUses, refundUses } from '../../operations/limits/in-transaction.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import { codeRate, maxTries } from './feature.ts'
import { asBound, type BoundProofRow, type Valid } from './store.ts'
import type { MailProofRow, MailProofTables } from './tables.ts'

/**
 * Compares a code with a request, and counts a wrong code. The count commits before the caller gets
 * an answer, so parallel guesses cannot exceed the limits. A right code is not counted. Does NOT
 * spend the proof. If no request has the id, or the request has no account, the work and the
 * result are the same as for a wrong code.
 *
 * @param secrets the result of `codeSecrets()`. For the right code, one of their hashes is stored
 */
export const tryCode: Command<
  Valid & { readonly id: string; readonly secrets: readonly string[] },
  BoundProofRow | undefined
> = command('tryCode', async (transaction, { id, secrets, purpose, now }) => {
  const db = inTables<MailProofTables>(transaction)
  const tried = await db
    .updateTable('mail_proof')
    .set((old) => ({ tries: old('tries', '+', 1) }))
    .where((row) => row.and({ id, purpose }))
    .where('tries', '<', maxTries)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst()

  const uses = tried ? usesOf(tried) : unknownUses(id)
  const { wait } = await countUses(transaction, uses, now)

  // An unknown id is compared with a hash that no code has, so that it takes as long.
  const stored = tried?.code_hash ?? hashSecret(id)
  const isRight = secrets.some((secret) => isSecretOf(secret, stored))
  const bound = tried && asBound(tried)
  if (!bound || !isRight || wait > 0) return undefined

  await db
    .updateTable('mail_proof')
    .set((old) => ({ tries: old('tries', '-', 1) }))
    .where('id', '=', id)
    .execute()
  await refundUses(transaction, { uses, at: now }, now)
  return bound
})

/**
 * Returns the uses of a wrong code: one for the user or for what the caller typed, and one for the
 * mailbox. A user who has not verified the address could otherwise delete the account, register
 * again, and get more tries for the same mailbox. If there is no mailbox, counts twice anyway, so
 * that the work does not reveal whether there is an account.
 */
function usesOf({ counted_for, mailbox }: MailProofRow): readonly Use[] {
  const counted = mailbox === null ? counted_for : countedMailbox(mailbox)
  return [useOf(codeRate, counted_for), useOf(codeRate, `mailbox\n${counted}`)]
}

/**
 * A limit that never refuses. It does the same work as `codeRate`. It need not limit callers,
 * because no code is right for an unknown id.
 */
const unknownRate = { ...codeRate, name: 'mail-code-unknown', intervalMilliseconds: 0 }

/**
 * Returns as many uses as `usesOf()`, for an id that no request has. Callers can make up any number
 * of ids, so all of them share 1,024 keys, which the counts of requests never use.
 */
function unknownUses(id: string): readonly Use[] {
  const pair = Buffer.from(id, 'base64url').readUInt16BE() % 512
  return [useOf(unknownRate, String(pair)), useOf(unknownRate, `mailbox\n${pair}`)]
}
