// Decides whether a login has proved enough. Every login is decided here, whatever the way in. The
// cases, the first that fits:
//
// 1. No first step is proved, and no session stands for it: `next`, with the first steps. In a
//    step-up, the replaced session stands for it if its login is as recent as the caller demands.
// 2. No second step is needed, or one is proved: `granted`. It is needed if the user must have a
//    factor or has set one up, if the caller demands it, and whenever a session stands for the
//    first step: the token of a session alone never starts another session.
// 3. A remembered device spares it: `granted`, with `sparesFactor`. Only for a login at the pages
//    that has no demand of the caller and replaces no session.
// 4. The user has set up a factor: `next`, with the second steps. But if the factor is newer than
//    the session that stands for the first step: `next`, with the first steps.
// 5. The user has none and must have none, but the caller demands one: `unmet`.
// 6. The user has none, and a session stands for the first step: `next`, with the first steps.
// 7. The user must have one and has none: `enrol`, or `unmet` for a client that may not enrol.
//
// The proofs of an enrolment, `email_code` and `enrolment`, are not methods and prove no step. The
// proof `otp` beside them is the second step.
import type { AskedLogin, LoginAttempt, Proof, ReplacedSession } from './attempt.ts'
import { methods } from './methods.ts'
import type { Method, MethodParts } from './methods/method.ts'

export type Decision =
  | {
      readonly outcome: 'granted'
      readonly subject: string
      /** The claim `amr` (RFC 8176 §2). */
      readonly amr: readonly string[]
      /** See `Method.provesApp`. */
      readonly provesApp: boolean
      /** See `Method.isRecovery`. */
      readonly isRecovery: boolean
      /** Whether a remembered device stands for the second step. It adds nothing to `amr`. */
      readonly sparesFactor: boolean
      /** When the first step was proved, in this login or for a replaced session; milliseconds. */
      readonly authenticatedAt: number
      /** The end of the replaced session, which the new one keeps. Undefined for a new end. */
      readonly expiresAt?: number
    }
  /** One of these methods must be proved next. */
  | { readonly outcome: 'next'; readonly methods: readonly Method[] }
  /** A second factor is demanded, the account has none, and this login sets none up. */
  | { readonly outcome: 'unmet' }
  /** The person must set up a second factor within the login. */
  | { readonly outcome: 'enrol' }

const isFirst = ({ secondStep }: Method): boolean => secondStep === undefined
const firstSteps = methods.filter(isFirst)

/** Decides whether a person has proved enough, and what is next if not. */
export async function decide<U>(
  attempt: LoginAttempt,
  user: U,
  parts: MethodParts<U>,
): Promise<Decision> {
  const { asked, subject, proofs, replaced } = attempt
  const proved = methods.filter(({ name }) => proofs.some(({ method }) => method === name))
  const hasFirst = proved.some(isFirst)
  const resumed = hasFirst ? undefined : replaced
  if (subject === undefined || !(hasFirst || resumed?.isRecent))
    return { outcome: 'next', methods: firstSteps }

  const hasSecond = !proved.every(isFirst)
  const isAsked = resumed !== undefined || asked.demand?.needsFactor === true
  const lacksSecond = !hasSecond && (isAsked || (await needsSecondStep(user, parts)))
  const sparesFactor = lacksSecond && (await isSpared(attempt, subject, parts))
  if (lacksSecond && !sparesFactor)
    return askForSecondStep({ asked, subject, resumed }, user, parts)

  const amr = [...proved.flatMap((method) => method.amr), ...(hasSecond ? ['mfa'] : [])]
  return {
    outcome: 'granted',
    subject,
    amr: [...new Set([...(resumed?.amr ?? []), ...amr])],
    provesApp: proved.some(({ provesApp = false }) => provesApp),
    isRecovery: proved.some(({ isRecovery = false }) => isRecovery),
    sparesFactor,
    ...(resumed
      ? { authenticatedAt: resumed.authenticatedAt, expiresAt: resumed.expiresAt }
      : { authenticatedAt: Math.min(...proofs.map(({ at }) => at)) }),
  }
}

/**
 * Whether a remembered device spares the second step of a login at the pages. It never spares what
 * the caller demands, or what replaces a session.
 */
async function isSpared<U>(
  { asked: { browserId, demand, replaces }, counted, authSession }: LoginAttempt,
  subject: string,
  { remembered }: Pick<MethodParts<U>, 'remembered'>,
): Promise<boolean> {
  // An attempt that is stored has asked for the second step, and goes on to it.
  if (browserId === undefined || demand || replaces || authSession !== undefined) return false
  return remembered.has(counted?.rememberedId, subject)
}

/** Decides how a login goes on that needs a second step and has proved none. */
async function askForSecondStep<U>(
  {
    asked: { client, demand },
    subject,
    resumed,
  }: {
    readonly asked: AskedLogin
    readonly subject: string
    readonly resumed: ReplacedSession | undefined
  },
  user: U,
  parts: MethodParts<U>,
): Promise<Decision> {
  if (resumed && (await hasNewerFactor(subject, resumed, parts)))
    return { outcome: 'next', methods: firstSteps }
  const setUp = await listSetUp(subject, parts)
  if (setUp.length > 0) return { outcome: 'next', methods: setUp }
  // The user has none and needs none, but the caller demands one.
  if (!mustHaveFactor(user, parts) && demand?.needsFactor) return { outcome: 'unmet' }
  // A step-up: the token of a session alone must not set up a factor.
  if (resumed) return { outcome: 'next', methods: firstSteps }
  // The user must have a second factor, and has none. Only first-party clients may set one up.
  return { outcome: client.mayEnrol ? 'enrol' : 'unmet' }
}

/**
 * Whether a user has set up or renewed a factor since a session started. Then it may be the factor
 * of a thief who has a token of this session and nothing else, so it does not stand for the first
 * step.
 */
async function hasNewerFactor<U>(
  subject: string,
  { startedAt }: ReplacedSession,
  { secondFactors }: Pick<MethodParts<U>, 'secondFactors'>,
): Promise<boolean> {
  return (await secondFactors.newestAt(subject)) > startedAt
}

type PolicyParts<U> = Pick<MethodParts<U>, 'secondFactors' | 'directory' | 'secondFactor'>

/** Whether the settings or the app demand that this user has a second factor. */
export function mustHaveFactor<U>(
  user: U,
  { directory, secondFactor }: Pick<PolicyParts<U>, 'directory' | 'secondFactor'>,
): boolean {
  return secondFactor === 'required' || directory.needsFactor(user)
}

/** Whether each login of this user must prove a second step. */
export async function needsSecondStep<U>(user: U, parts: PolicyParts<U>): Promise<boolean> {
  if (mustHaveFactor(user, parts)) return true
  const subject = parts.directory.subject(user)
  for (const { secondStep } of methods)
    if (secondStep?.isDemanded && (await secondStep.isSetUp(subject, parts))) return true
  return false
}

/**
 * Whether the account still has what was proved earlier. Compares only the marks of methods with
 * `isCurrent`.
 */
export function areCurrent<U>(proofs: readonly Proof[], user: U, parts: MethodParts<U>): boolean {
  return proofs.every(({ method: name, mark }) => {
    const method = methods.find((one) => one.name === name)
    // A proof of an enrolment: the transaction that ends the login compares it.
    if (!method) return true
    return method.isCurrent === undefined || method.isCurrent(user, mark, parts)
  })
}

/** Returns the second steps that this user has set up. */
async function listSetUp<U>(subject: string, parts: MethodParts<U>): Promise<readonly Method[]> {
  const setUp: Method[] = []
  for (const method of methods)
    if (await method.secondStep?.isSetUp(subject, parts)) setUp.push(method)
  return setUp
}
