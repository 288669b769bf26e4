// Turns attempts into what is stored of them, and back. Before the first proof nothing is stored,
// so strangers fill no table.
import type { Clock } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import type { NewMail } from '../../mail/outbox/new-mail.ts'
import type { NoticeAddress } from '../../tokens/sessions/sessions.ts'
import type { KeptAttempts } from '../attempts/kept-attempts.ts'
import { findActiveSession } from '../../tokens/sessions/active-session.ts'
import type {
  AskedLogin,
  CountedLogin,
  LoginAttempt,
  LoginDemand,
  NamedSession,
  Proof,
  ReplacedSession,
} from './attempt.ts'
import { addressRate } from './feature.ts'
import { recordWrongCode } from './store.ts'

export interface Attempts {
  /**
   * Returns a new attempt, or the one that `asked.session` names. Undefined if that has ended or
   * expired, or began at another endpoint or for another client. Also undefined if the session to
   * replace has ended or expired, or belongs to another client.
   */
  open(asked: AskedLogin): Promise<LoginAttempt | undefined>
  /** Stores an attempt after its first proof. Does nothing if it is stored already. */
  keep(attempt: LoginAttempt, isFactorMissing: boolean): Promise<LoginAttempt>
  /** Counts a second step, before it is proved. Returns false if there were too many. */
  countTry(attempt: LoginAttempt): Promise<boolean>
  /** Counts a wrong code from an unknown device. */
  recordWrongCode(subject: string, notice: NewMail | undefined, to: NoticeAddress): Promise<void>
}

interface Content {
  readonly scopes?: readonly string[] | undefined
  readonly codeChallenge?: string | undefined
  readonly counted?: CountedLogin | undefined
  readonly demand?: LoginDemand | undefined
  readonly replaces?: NamedSession | undefined
}

export function createAttempts(
  database: Pick<Database, 'reader' | 'write'>,
  { kept, clock }: { readonly kept: KeptAttempts; readonly clock: Clock },
): Attempts {
  /** Reads the session that a step-up replaces. */
  async function withReplaced(attempt: LoginAttempt): Promise<LoginAttempt | undefined> {
    const { replaces, client } = attempt.asked
    if (!replaces) return attempt
    const { id } = replaces
    const found = await findActiveSession(database.reader, { id, now: clock.now() })
    if (found?.clientId !== client.id) return undefined
    const replaced: ReplacedSession = { ...found, ...replaces }
    return { ...attempt, replaced }
  }

  return {
    async open(asked) {
      const { session, front, client } = asked
      if (session === undefined)
        return withReplaced({ asked, subject: undefined, proofs: [], counted: undefined, session })

      const found = await kept.find(session)
      if (found?.front !== front || found.clientId !== client.id) return undefined
      const { counted, ...content } = JSON.parse(found.content) as Content
      const { scopes, codeChallenge, demand, replaces } = content
      const proofs = JSON.parse(found.proofs) as readonly Proof[]
      const begun = { ...asked, scopes, codeChallenge, demand, replaces }
      return withReplaced({ asked: begun, subject: found.subject, proofs, counted, session })
    },
    async keep(attempt, isFactorMissing) {
      const { asked, subject, proofs } = attempt
      if (attempt.session !== undefined || subject === undefined) return attempt

      const [refund, counted] = splitUses(attempt.counted)
      const { scopes, codeChallenge, demand, replaces } = asked
      const content: Content = { scopes, codeChallenge, counted, demand, replaces }
      const session = await kept.keep(
        {
          front: asked.front,
          clientId: asked.client.id,
          subject,
          proofs: JSON.stringify(proofs),
          content: JSON.stringify(content),
        },
        { refund, isFactorMissing, by: { actor: `user:${subject}`, address: asked.address } },
      )
      return { ...attempt, counted, session }
    },
    async countTry({ session }) {
      if (session === undefined) throw new Error('only a stored attempt has second steps')
      return kept.countTry(session)
    },
    recordWrongCode: (subject, notice, to) =>
      database.write(recordWrongCode, { subject, notice, to, now: clock.now() }),
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
