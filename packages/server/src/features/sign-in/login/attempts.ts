// Turns attempts into what `../attempts/kept-attempts.ts` stores of them, and back. Before the
// first proof nothing is stored, so strangers fill no table.
import type { Clock } from 'keystile/internal'
import { hashSecret } from '../../../base/secret.ts'
import type { Database } from '../../../storage/database.ts'
import type { AddressedMail } from '../../mail/outbox/new-mail.ts'
import { findActiveSession, isRecentLogin } from '../../tokens/sessions/active-session.ts'
import type { KeptAttempt, KeptAttempts } from '../attempts/kept-attempts.ts'
import {
  withProof,
  type AskedLogin,
  type CountedLogin,
  type LoginAttempt,
  type Proof,
  type ReplacedSession,
} from './attempt.ts'
import { addressRate } from './feature.ts'
import { proveMailbox } from './prove-mailbox-store.ts'

export interface Attempts {
  /**
   * Returns a new attempt, or the one that `asked.authSession` names. Undefined if that has ended
   * or expired, or began at another endpoint or for another client. Also undefined if the session
   * to replace has ended or expired, or belongs to another client.
   */
  open(asked: AskedLogin): Promise<LoginAttempt | undefined>
  /**
   * Stores an attempt after its first proof. Does nothing if it is stored already.
   *
   * @throws {ProblemError} `too_many_requests` if the mailbox got too many of these mails
   */
  keep(attempt: LoginAttempt, values: Keeping): Promise<LoginAttempt>
  /**
   * Stores the proof that the person reads the mails to an address, and marks the address of a
   * Keystile account as verified. Undefined if that was proved before, or if the account or its
   * address has changed.
   */
  proveMailbox(attempt: LoginAttempt, proof: Proof): Promise<LoginAttempt | undefined>
  /** Counts a second step, before it is proved. Returns false if there were too many. */
  countTry(attempt: LoginAttempt): Promise<boolean>
}

interface Keeping {
  /** Whether the caller has sent no second factor yet. The audit record gets this. */
  readonly isFactorMissing: boolean
  /** The mail with the code that the next step needs. */
  readonly mail?: AddressedMail | undefined
}

export function createAttempts(
  database: Pick<Database, 'reader' | 'write'>,
  {
    kept,
    hasAccounts,
    clock,
  }: {
    readonly kept: KeptAttempts
    /** False for an app's own users. */
    readonly hasAccounts: boolean
    readonly clock: Clock
  },
): Attempts {
  /** Reads the session that a step-up replaces. */
  async function withReplaced(attempt: LoginAttempt): Promise<LoginAttempt | undefined> {
    const { replaces, client, demand } = attempt.asked
    if (!replaces) return attempt
    const now = clock.now()
    const found = await findActiveSession(database.reader, { id: replaces.id, now })
    if (found?.clientId !== client.id) return undefined
    const { maxAgeSeconds } = demand ?? {}
    const isRecent = maxAgeSeconds === undefined || isRecentLogin(found, { maxAgeSeconds, now })
    const replaced: ReplacedSession = { ...found, ...replaces, isRecent }
    return { ...attempt, replaced }
  }

  return {
    async open(asked) {
      const { authSession, front, client } = asked
      if (authSession === undefined)
        return withReplaced({
          asked,
          subject: undefined,
          proofs: [],
          counted: undefined,
          authSession,
        })

      const found = await kept.find(authSession)
      if (found?.front !== front || found.clientId !== client.id) return undefined
      return withReplaced(attemptOf(found, asked))
    },
    async keep(attempt, { isFactorMissing, mail }) {
      const { asked, subject, proofs } = attempt
      if (attempt.authSession !== undefined || subject === undefined) return attempt

      const [refund, counted] = splitUses(attempt.counted)
      const authSession = await kept.keep(
        {
          front: asked.front,
          clientId: asked.client.id,
          subject,
          proofs: JSON.stringify(proofs),
          content: JSON.stringify(contentOf({ ...attempt, counted })),
        },
        { refund, isFactorMissing, by: { actor: `user:${subject}`, address: asked.address }, mail },
      )
      return { ...attempt, counted, authSession }
    },
    async proveMailbox(attempt, proof) {
      const { authSession, subject, proofs, asked } = attempt
      if (authSession === undefined || subject === undefined)
        throw new Error('only a stored attempt has second steps')
      const proved = withProof(attempt, subject, proof)
      const { isProved } = await database.write(proveMailbox, {
        id: hashSecret(authSession),
        before: JSON.stringify(proofs),
        proofs: JSON.stringify(proved.proofs),
        subject,
        recipient: proof.mark,
        hasAccount: hasAccounts,
        by: { actor: `user:${subject}`, address: asked.address },
        now: clock.now(),
      })
      return isProved ? proved : undefined
    },
    async countTry({ authSession }) {
      if (authSession === undefined) throw new Error('only a stored attempt has second steps')
      return kept.countTry(authSession)
    },
  }
}

/**
 * Divides the uses of limits: those of the IP address are refunded after the right password,
 * because an office may have many logins between two steps. The others are refunded at the end.
 */
function splitUses(
  counted: CountedLogin | undefined,
): readonly [refunded: CountedLogin['spent'], kept: CountedLogin | undefined] {
  if (!counted) return [{ uses: [], at: 0 }, undefined]
  const { uses, at } = counted.spent
  const isOfAddress = ({ rate }: (typeof uses)[number]): boolean => rate.name === addressRate.name
  const kept = uses.filter((use) => !isOfAddress(use))
  return [
    { uses: uses.filter(isOfAddress), at },
    { ...counted, spent: { uses: kept, at } },
  ]
}

/** What is stored encrypted. */
type AttemptContent = Pick<AskedLogin, 'scopes' | 'codeChallenge' | 'demand' | 'replaces'> &
  Pick<LoginAttempt, 'counted' | 'enrolment'>

function contentOf({ asked, counted, enrolment }: LoginAttempt): AttemptContent {
  const { scopes, codeChallenge, demand, replaces } = asked
  return { scopes, codeChallenge, counted, demand, replaces, enrolment }
}

/**
 * Returns a stored attempt, for the request that goes on with it. What the first request asked for
 * replaces what this one asks for, also where the first one asked for nothing.
 */
function attemptOf(found: KeptAttempt, asked: AskedLogin): LoginAttempt {
  const content = JSON.parse(found.content) as AttemptContent
  const { scopes, codeChallenge, counted, demand, replaces, enrolment } = content
  return {
    asked: { ...asked, scopes, codeChallenge, demand, replaces },
    subject: found.subject,
    proofs: JSON.parse(found.proofs) as readonly Proof[],
    counted,
    enrolment,
    authSession: asked.authSession,
  }
}
