// Authorization codes (RFC 6749 §4.1). A login that was asked for with a code challenge ends with a
// code instead of a session. Within a minute, the client exchanges it (`exchange.ts`).
import type { Clock } from 'keystile/internal'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import { factorMailboxFull } from '../../mail/outbox/mailbox-full.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import type { KeptAttempts, KeptCode } from '../attempts/kept-attempts.ts'
import { marksOf, type LoginAttempt, type Proof } from './attempt.ts'
import { methods } from './methods.ts'
import type { GrantedLogin } from './policy.ts'
import { endReusedCode, issueCode } from './store.ts'

/** What was asked for and proved at the login. */
interface CodeContent {
  readonly scopes?: readonly string[] | undefined
  readonly codeChallenge: string
  readonly amr: readonly string[]
  readonly provesApp: boolean
  /** Undefined in a code of an earlier release. */
  readonly isRecovery?: boolean | undefined
  readonly authenticatedAt: number
  /** The proofs that the exchange compares with the account once more. */
  readonly proofs: readonly Proof[]
  readonly deviceId?: string | undefined
}

export interface FoundCode extends CodeContent, Omit<KeptCode, 'content'> {}

/** A login that has proved enough, and was asked for with a code challenge. */
export interface LoginForCode {
  readonly attempt: LoginAttempt
  readonly granted: GrantedLogin
  readonly codeChallenge: string
}

export interface Codes {
  /**
   * Ends a login with a code. Returns undefined if the account has changed since the proofs.
   *
   * @throws {ProblemError} `too_many_requests`, as `SessionStarter.start()` does
   */
  issue(login: LoginForCode): Promise<string | undefined>
  /** Finds a code that has not expired. Changes nothing. */
  find(code: string): Promise<FoundCode | undefined>
  /** Ends the session that a code gave. Then this process refuses the tokens of the session. */
  endReused(sessionId: string, by: By): Promise<void>
}

export function createCodes(
  database: Pick<Database, 'write'>,
  {
    kept,
    feed,
    clock,
    hasAccounts,
  }: {
    readonly kept: KeptAttempts
    readonly feed: Pick<EventFeed, 'tail'>
    readonly clock: Clock
    readonly hasAccounts: boolean
  },
): Codes {
  return {
    async issue(login) {
      const { asked, proofs, counted, authSession } = login.attempt
      const { subject, amr } = login.granted
      const proved = {
        subject,
        marks: marksOf(proofs),
        amr,
        attemptId: authSession === undefined ? undefined : hashSecret(authSession),
        hasAccount: hasAccounts,
        ...(counted && { spent: counted.spent }),
      }
      const secret = makeSecret()
      const code = {
        id: hashSecret(secret),
        clientId: asked.client.id,
        subject,
        content: JSON.stringify(contentOf(login)),
        now: clock.now(),
      }
      const by = { actor: `user:${subject}`, address: asked.address } as const
      const { issued, mailWait } = await database.write(
        issueCode,
        { proved, code, by },
        counted?.patienceMilliseconds,
      )
      if (mailWait !== undefined) throw factorMailboxFull(mailWait)
      return issued ? secret : undefined
    },
    async find(code) {
      const found = await kept.findCode(code)
      if (!found) return undefined
      const { content, ...ids } = found
      return { ...(JSON.parse(content) as CodeContent), ...ids }
    },
    async endReused(sessionId, by) {
      await database.write(endReusedCode, { sessionId, by, now: clock.now() })
      await feed.tail()
    },
  }
}

function contentOf({ attempt, granted, codeChallenge }: LoginForCode): CodeContent {
  const { asked, proofs, counted } = attempt
  const { amr, provesApp, isRecovery, authenticatedAt } = granted
  return {
    scopes: asked.scopes,
    codeChallenge,
    amr,
    provesApp,
    isRecovery,
    authenticatedAt,
    proofs: proofs.filter(isLasting),
    deviceId: counted?.deviceId,
  }
}

/** Whether a proof can be compared again. Issuing the code has spent the others. */
function isLasting({ method: name }: Proof): boolean {
  return methods.find((one) => one.name === name)?.isCurrent !== undefined
}
