// The login, the same for each way in: the password grant, and the session in a cookie. "A login
// with a password" in ARCHITECTURE.md is the walk through this room. In reading order: `attempt.ts`
// is the value that grows, `methods.ts` and `methods/` prove, `policy.ts` decides, `finish.ts` ends
// the login with the command in `store.ts`, and `marks-in-transaction.ts` compares what was proved.
import type { Audit } from '../../operations/audit/audit.ts'
import type { LoginAttempt } from './attempt.ts'
import type { LoginEvent } from './feature.ts'
import { finish, type FinishedLogin, type FinishParts } from './finish.ts'
import { methods } from './methods.ts'
import type { Proving, RefusalReason, RefusedProof } from './methods/method.ts'
import { enough } from './policy.ts'

/** What a person sends to prove who they are: the values of the parameters of methods. */
export type PresentedValues = Readonly<Record<string, string | undefined>>

export type LoginOutcome =
  | FinishedLogin
  /** The attempt goes on: one of these methods must be proved next. */
  | {
      readonly outcome: 'next'
      readonly attempt: LoginAttempt
      readonly methods: readonly string[]
    }
  /** The audit record has the refusal. The answer to the caller must not depend on the reason. */
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }

export interface Login {
  /**
   * Proves all that the values have, and starts the session if that is enough. If the account
   * changes between the proof and the start of the session, tries once more.
   *
   * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
   */
  proceed(attempt: LoginAttempt, values: PresentedValues): Promise<LoginOutcome>
}

export interface LoginParts<U> extends FinishParts<U> {
  readonly audit: Audit<LoginEvent>
}

/**
 * How many times one login verifies what was presented, at most. A second try is needed if another
 * login renewed the hash at the same time.
 */
const maxTries = 2

export function createLogin<U>(parts: LoginParts<U>): Login {
  return {
    async proceed(begun, values) {
      let attempt = begun
      for (let tries = 0; tries < maxTries; tries++) {
        const proved = await proveAll(attempt, values, parts)
        if (proved.outcome === 'refused') return refuse(proved, attempt, parts)
        attempt = proved.attempt
        if (proved.outcome === 'changed') continue

        const decision = await enough(attempt, parts)
        if (decision.outcome === 'next') return { ...decision, attempt }

        const finished = await finish(attempt, { ...decision, user: proved.user }, parts)
        if (finished) return finished
      }
      const { subject } = attempt
      return refuse({ outcome: 'refused', reason: 'changed_meanwhile', subject }, attempt, parts)
    },
  }
}

/** Proves with each method whose values were all presented, and ends at the first refusal. */
async function proveAll<U>(
  begun: LoginAttempt,
  values: PresentedValues,
  parts: LoginParts<U>,
): Promise<Proving<U>> {
  let attempt = begun
  let last: Proving<U> | undefined
  for (const method of methods) {
    const presented = Object.keys(method.parameters).map((name) => [name, values[name]] as const)
    if (!presented.every(([, value]) => value !== undefined)) continue

    last = await method.prove(
      Object.fromEntries(presented) as Record<string, string>,
      attempt,
      parts,
    )
    if (last.outcome !== 'proved') return last
    attempt = last.attempt
  }
  if (!last) throw new Error('the caller must present the values of at least one method')
  return last
}

async function refuse<U>(
  { reason, subject }: RefusedProof,
  { asked: { client, address } }: LoginAttempt,
  { audit }: LoginParts<U>,
): Promise<LoginOutcome> {
  const by = { actor: 'nobody', address } as const
  if (reason !== 'password_too_long')
    await audit.record({ event: 'login_refused', by, subject, clientId: client.id })
  return { outcome: 'refused', reason }
}
