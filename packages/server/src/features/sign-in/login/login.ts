// The login, the same for each way in: the password grant, the session in a cookie, and the
// challenge endpoint. "A login with a password" in ARCHITECTURE.md is the walk through this room.
// In reading order: `attempt.ts` is the value that grows, `methods.ts` and `methods/` prove,
// `policy.ts` decides, `finish.ts` ends the login with a command in `store.ts`, and
// `marks-in-transaction.ts` compares what was proved. A login may end with an authorization code:
// `codes.ts` stores it, and `exchange.ts` takes it.
import type { Audit } from '../../operations/audit/audit.ts'
import type { AttemptEvent } from '../attempts/audit-events.ts'
import type { AskedLogin, LoginAttempt } from './attempt.ts'
import { enrol, type EnrolmentParts, type EnrolmentStep } from './enrolment.ts'
import { exchange, type Exchange, type PresentedCode } from './exchange.ts'
import type { LoginEvent } from './feature.ts'
import { finish, type FinishedLogin, type FinishParts, type IssuedCode } from './finish.ts'
import { methods } from './methods.ts'
import {
  isWrongFactor,
  type Method,
  type Proving,
  type RefusalReason,
  type RefusedProof,
} from './methods/method.ts'
import { findOwnDevice } from './own-device.ts'
import { areCurrent, decide, needsSecondStep } from './policy.ts'
import { beginStepUp, countStepUp, stepUpWithNewApp } from './step-up.ts'

/** What a person sends to prove who they are: the values of the parameters of methods. */
export type PresentedValues = Readonly<Record<string, string | undefined>>

export type LoginOutcome =
  | FinishedLogin
  | IssuedCode
  /**
   * One of these methods must be proved next, together with this `auth_session`. It is missing in a
   * step-up that has proved nothing yet.
   */
  | { readonly outcome: 'next'; readonly authSession?: string; readonly methods: readonly string[] }
  /** A second factor is demanded, the account has none, and this login sets none up. */
  | { readonly outcome: 'unmet' }
  | EnrolmentStep
  | Over
  /**
   * The audit record has the refusal. Before the first proof, the answer to the caller must not
   * depend on the reason.
   */
  | {
      readonly outcome: 'refused'
      readonly reason: RefusalReason
      /** The `auth_session` with which the attempt goes on; missing before the first proof. */
      readonly authSession?: string
      /** The methods of which one is still missing, if a wrong factor was refused. */
      readonly methods?: readonly string[]
    }

/** The attempt has ended, has expired, or never began. Log in from the start. */
interface Over {
  readonly outcome: 'over'
}

export interface Login {
  /**
   * Proves what the values have. If that is enough, starts the session, or issues a code if `asked`
   * has a code challenge. If the account changes between the proof and this end, tries once more.
   *
   * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
   */
  proceed(asked: AskedLogin, values: PresentedValues): Promise<LoginOutcome>
  /** Replaces the session in which a first app was just set up. See `stepUpWithNewApp`. */
  stepUpWithNewApp(asked: AskedLogin): Promise<FinishedLogin | undefined>
  /** Starts the session of a login that ended with a code. See `exchange`. */
  exchange(presented: PresentedCode): Promise<Exchange>
  /** Whether each login of this user must prove a second step. */
  needsSecondStep(subject: string): Promise<boolean>
  /** Whether a device of this user is remembered, so that the pages ask for no second step. */
  isRemembered(
    session: { readonly id: string; readonly subject: string },
    deviceSecret: string | undefined,
  ): Promise<boolean>
}

export interface LoginParts<U> extends FinishParts<U>, EnrolmentParts<U> {
  readonly audit: Audit<LoginEvent | AttemptEvent>
}

/**
 * How many times one login verifies what was presented, at most. A second try is needed if another
 * login renewed the hash at the same time.
 */
const maxVerifications = 2

export function createLogin<U>(parts: LoginParts<U>): Login {
  return {
    stepUpWithNewApp: (asked) => stepUpWithNewApp(asked, parts),
    exchange: (presented) => exchange(presented, parts),
    async needsSecondStep(subject) {
      const user = await parts.directory.findActive(subject)
      return user !== undefined && needsSecondStep(user, parts)
    },
    async isRemembered({ id, subject }, deviceSecret) {
      const user = await parts.directory.findActive(subject)
      const device = user === undefined ? undefined : findOwnDevice(user, deviceSecret, parts)
      return parts.remembered.has(device?.rememberedId, subject, id)
    },
    async proceed(asked, values) {
      const opened = await parts.attempts.open(asked)
      if (!opened) return { outcome: 'over' }

      let attempt = opened
      for (let tries = 0; tries < maxVerifications; tries++) {
        const done = await proceedOnce(attempt, values, parts)
        if (done.outcome !== 'changed') return done
        attempt = done.attempt
      }
      const { subject } = attempt
      return refuse({ outcome: 'refused', reason: 'changed_meanwhile', subject }, attempt, parts)
    },
  }
}

/** Goes on with an attempt. Returns `changed` if another try may succeed. */
async function proceedOnce<U>(
  attempt: LoginAttempt,
  values: PresentedValues,
  parts: LoginParts<U>,
): Promise<LoginOutcome | Extract<Proving<U>, { outcome: 'changed' }>> {
  const proved = await proveFirst(attempt, values, parts)
  if (proved.outcome === 'refused') return refuse(proved, attempt, parts)
  if (proved.outcome !== 'proved') return proved

  const done = await goOn(proved, values, parts)
  if (done) return done
  // A stored attempt is bound to what it has proved, and a step-up to its session.
  const isBound = proved.attempt.authSession !== undefined || proved.attempt.replaced !== undefined
  return isBound ? { outcome: 'over' } : { outcome: 'changed', attempt: proved.attempt }
}

/**
 * Proves the first step. If the attempt has proved it before, checks that the account still has
 * what was proved.
 */
async function proveFirst<U>(
  attempt: LoginAttempt,
  values: PresentedValues,
  parts: LoginParts<U>,
): Promise<Proving<U> | Over> {
  const { authSession, subject, proofs, replaced } = attempt
  if (authSession !== undefined && subject !== undefined) {
    const user = await parts.directory.findActive(subject)
    if (user === undefined || !areCurrent(proofs, user, parts)) return { outcome: 'over' }
    return { outcome: 'proved', attempt, user }
  }

  const method = methods.find((one) => !one.secondStep && isPresented(one, values))
  if (!method) return (await beginStepUp(attempt, parts)) ?? { outcome: 'over' }

  const proved = await method.prove(valuesOf(method, values), attempt, parts)
  if (!replaced || proved.outcome === 'refused' || proved.attempt.subject === replaced.subject)
    return proved
  // The password is right, but the session belongs to another user.
  await record('login_refused', proved.attempt, parts)
  return { outcome: 'over' }
}

interface Proved<U> {
  readonly attempt: LoginAttempt
  readonly user: U
}

/**
 * Ends the login if enough is proved. Otherwise proves one second step, if one was presented.
 * Returns undefined if the account has changed since the proofs.
 */
async function goOn<U>(
  { attempt, user }: Proved<U>,
  values: PresentedValues,
  parts: LoginParts<U>,
): Promise<LoginOutcome | undefined> {
  const decision = await decide(attempt, user, parts)
  if (decision.outcome === 'granted') return finish(attempt, { granted: decision, user }, parts)
  if (decision.outcome === 'enrol') return goOnEnrolling({ attempt, user }, values, parts)
  if (decision.outcome === 'unmet') {
    if (attempt.proofs.length > 0) await record('factor_required', attempt, parts)
    return decision
  }

  const method = decision.methods.find((one) => isPresented(one, values))
  // A step-up that has proved nothing has its session, so nothing must be stored.
  const isStored = attempt.proofs.length > 0
  const kept = isStored ? await parts.attempts.keep(attempt, { isFactorMissing: !method }) : attempt
  const { authSession } = kept
  const names = decision.methods.map(({ name }) => name)
  if (!method) {
    return { outcome: 'next', ...(authSession !== undefined && { authSession }), methods: names }
  }
  const presented = valuesOf(method, values)
  const begun = isStored ? kept : await countStepUp(kept, parts)
  // Before the try: what a rate limit refuses is not compared, so it uses up no try.
  const counted = (await method.count?.(presented, begun, parts)) ?? begun
  if (isStored && !(await parts.attempts.countTry(counted))) return { outcome: 'over' }

  const proved = await method.prove(presented, counted, parts)
  if (proved.outcome === 'refused')
    return { ...(await refuse(proved, counted, parts)), methods: names }
  return proved.outcome === 'proved' ? endStored(proved, parts) : { outcome: 'over' }
}

/** Goes on with an enrolment. Ends the login if the first code of the new app is proved. */
async function goOnEnrolling<U>(
  proved: Proved<U>,
  values: PresentedValues,
  parts: LoginParts<U>,
): Promise<LoginOutcome> {
  const step = await enrol(proved, values, parts)
  if (!step) return { outcome: 'over' }
  if (step.outcome === 'enrol') return step
  if (step.outcome === 'refused') return refuse(step, step.attempt, parts)

  const done = await endStored(step, parts)
  if (done.outcome !== 'granted' && done.outcome !== 'code') return done
  // The first factor has ended the other sessions.
  await parts.feed.tail()
  return { ...done, recoveryCodes: step.recoveryCodes }
}

/** Ends a login whose last step was proved. */
async function endStored<U>(
  { attempt, user }: Proved<U>,
  parts: LoginParts<U>,
): Promise<LoginOutcome> {
  const decision = await decide(attempt, user, parts)
  if (decision.outcome !== 'granted')
    throw new Error('a login must be granted after its second step')
  return (await finish(attempt, { granted: decision, user }, parts)) ?? { outcome: 'over' }
}

function isPresented({ parameters }: Method, values: PresentedValues): boolean {
  return Object.keys(parameters).every((name) => values[name] !== undefined)
}

function valuesOf(
  { parameters }: Method,
  values: PresentedValues,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, values[name] ?? '']))
}

async function refuse<U>(
  { reason, subject }: RefusedProof,
  attempt: LoginAttempt,
  parts: LoginParts<U>,
): Promise<Extract<LoginOutcome, { outcome: 'refused' }>> {
  const { authSession } = attempt
  const isOfFactor = authSession !== undefined || isWrongFactor(reason)
  // These say nothing about a person, and no limit counts them.
  if (reason !== 'password_too_long' && reason !== 'unknown_enrolment')
    await record(isOfFactor ? 'factor_refused' : 'login_refused', { ...attempt, subject }, parts)
  return { outcome: 'refused', reason, ...(authSession !== undefined && { authSession }) }
}

async function record<U>(
  event: LoginEvent | AttemptEvent,
  { asked: { client, address }, subject }: LoginAttempt,
  { audit }: LoginParts<U>,
): Promise<void> {
  await audit.record({ event, by: { actor: 'nobody', address }, subject, clientId: client.id })
}
