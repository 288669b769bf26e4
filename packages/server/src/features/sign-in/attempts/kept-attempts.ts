// Stores attempts between their steps, and finds the codes with which logins have ended.
import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import { mailboxFull } from '../../mail/outbox/mailbox-full.ts'
import type { AddressedMail } from '../../mail/outbox/new-mail.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Spent } from '../../operations/limits/uses.ts'
import { countTry, findAttempt, findCode, keepAttempt } from './store.ts'

/** How long the next step may take. */
export const attemptMilliseconds: number = 10 * 60 * 1000

/** What is stored of an attempt. */
export interface KeptAttempt {
  readonly front: string
  readonly clientId: string
  readonly subject: string
  /** What was proved so far, as JSON. */
  readonly proofs: string
  /** What was asked for, as JSON. It is encrypted. */
  readonly content: string
}

/** What is stored of an authorization code. */
export interface KeptCode extends Pick<KeptAttempt, 'clientId' | 'subject' | 'content'> {
  /** The hash of the code. */
  readonly id: string
  /** The session that the code gave; undefined until it is used. */
  readonly sessionId: string | undefined
}

export interface KeptAttempts {
  /**
   * Stores an attempt and returns its `auth_session`, the secret by which the next step names it.
   *
   * @param values.refund the uses of limits that were no guesses
   * @param values.isFactorMissing whether the caller has sent no second factor yet
   * @param values.mail the mail with the code that the next step needs
   * @throws {ProblemError} `too_many_requests` if the mailbox got too many of these mails
   */
  keep(
    attempt: KeptAttempt,
    values: {
      readonly refund: Spent
      readonly isFactorMissing: boolean
      readonly by: By
      readonly mail?: AddressedMail | undefined
    },
  ): Promise<string>
  /** Finds an attempt that has not ended or expired, and has tries left. */
  find(authSession: string): Promise<KeptAttempt | undefined>
  /** Counts a second step, before it is proved. Returns false if there were too many. */
  countTry(authSession: string): Promise<boolean>
  /** Finds a code, used or not. Returns undefined if it has expired. */
  findCode(code: string): Promise<KeptCode | undefined>
}

export function createKeptAttempts(
  database: Pick<Database, 'reader' | 'write'>,
  { seal, clock }: { readonly seal: Seal; readonly clock: Clock },
): KeptAttempts {
  return {
    async keep({ front, clientId, subject, proofs, content }, values) {
      const authSession = makeSecret()
      const [id, now] = [hashSecret(authSession), clock.now()]
      const row = {
        id,
        front,
        client_id: clientId,
        subject,
        proofs,
        sealed: seal.seal(content, id),
        tries: 0,
        created_at: now,
        expires_at: now + attemptMilliseconds,
      }
      const { wait } = await database.write(keepAttempt, { row, ...values })
      if (wait > 0) throw mailboxFull('codes', wait)
      return authSession
    },
    async find(authSession) {
      const id = hashSecret(authSession)
      const row = await findAttempt(database.reader, { id, now: clock.now() })
      const content = row && seal.open(row.sealed, id)
      if (!row || content === undefined) return undefined
      const { front, client_id: clientId, subject, proofs } = row
      return { front, clientId, subject, proofs, content }
    },
    async countTry(authSession) {
      const values = { id: hashSecret(authSession), now: clock.now() }
      return (await database.write(countTry, values)).isAllowed
    },
    async findCode(code) {
      const values = { id: hashSecret(code), now: clock.now() }
      const row = await findCode(database.reader, values)
      if (!row) return undefined
      const { id, client_id: clientId, subject, content, session_id: sessionId } = row
      return { id, clientId, subject, content, sessionId: sessionId ?? undefined }
    },
  }
}
