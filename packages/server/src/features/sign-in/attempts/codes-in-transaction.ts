// Authorization codes: a login ends with one, and its exchange for a session uses it.
import { inTables, type Transaction } from '../../../storage/database.ts'
import type { LoginFlowTables } from './tables.ts'

/** How long a code can be used. RFC 6749 §4.1.2 recommends at most ten minutes. */
const unusedMilliseconds = 60 * 1000

/** How long a used code is kept, so that its session ends if the code comes again. */
const usedMilliseconds = 10 * 60 * 1000

/** An authorization code to store. */
export interface NewCode {
  /** The hash of the code, which only the client has. */
  readonly id: string
  readonly clientId: string
  readonly subject: string
  /** What was asked for and proved, as JSON. */
  readonly content: string
  readonly now: number
}

export async function insertCode(
  transaction: Transaction,
  { id, clientId, subject, content, now }: NewCode,
): Promise<void> {
  await inTables<LoginFlowTables>(transaction)
    .insertInto('authorization_code')
    .values({
      id,
      client_id: clientId,
      subject,
      content,
      session_id: null,
      created_at: now,
      expires_at: now + unusedMilliseconds,
    })
    .execute()
}

/** Uses a code for a session. Returns false if it was used before, has expired, or is void. */
export async function useCode(
  transaction: Transaction,
  { id, sessionId, now }: { readonly id: string; readonly sessionId: string; readonly now: number },
): Promise<boolean> {
  const used = await inTables<LoginFlowTables>(transaction)
    .updateTable('authorization_code')
    .set({ session_id: sessionId, expires_at: now + usedMilliseconds })
    .where('id', '=', id)
    .where('session_id', 'is', null)
    .where('expires_at', '>', now)
    .returning('id')
    .executeTakeFirst()
  return used !== undefined
}
