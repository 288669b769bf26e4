// A step-up: a login that names a session of its user, and replaces it. The session stands for the
// first step (`policy.ts`), and the transaction that starts the new session ends the old one.
import { useOf } from '../../operations/limits/uses.ts'
import {
  countedOn,
  subjectOf,
  withProof,
  withUses,
  type AskedLogin,
  type LoginAttempt,
} from './attempt.ts'
import { addressRate, deviceRate } from './feature.ts'
import { start, type FinishedLogin, type FinishParts } from './finish.ts'
import type { MethodParts, Proving } from './methods/method.ts'
import { otpMethod } from './methods/otp.ts'
import { findOwnDevice } from './own-device.ts'
import { decide } from './policy.ts'

/**
 * Begins a step-up without a first step. Returns undefined if the user of the session may not log
 * in any more.
 */
export async function beginStepUp<U>(
  attempt: LoginAttempt,
  { directory, devices, clock }: MethodParts<U>,
): Promise<Proving<U> | undefined> {
  const { asked, replaced } = attempt
  if (!replaced) throw new Error('the caller must present the values of a first step')
  const { subject } = replaced
  const user = await directory.findActive(subject)
  if (user === undefined) return undefined

  const device = findOwnDevice(user, asked.deviceSecret, { devices, directory })
  const spent = { uses: [], at: clock.now() }
  const counted = countedOn(device, { spent, patienceMilliseconds: 0 })
  return { outcome: 'proved', attempt: { ...attempt, subject, counted }, user }
}

/**
 * Counts a step-up without a first step, before its factor is proved: for a known device of the
 * user, or for the session and the IP address. A known device that has used up its limit counts as
 * an unknown one, as in `countLogin()`. A right factor is refunded.
 *
 * @throws {ProblemError} `too_many_requests`
 */
export async function countStepUp<U>(
  attempt: LoginAttempt,
  { limits }: Pick<MethodParts<U>, 'limits'>,
): Promise<LoginAttempt> {
  const { asked, counted, replaced } = attempt
  const { deviceId } = counted ?? {}
  const ofDevice =
    deviceId === undefined ? undefined : await limits.tryCount([useOf(deviceRate, deviceId)])
  if (ofDevice) return withUses(attempt, ofDevice.uses)

  // The IP address may be unknown, and each refusal writes an audit entry.
  const ofSession = useOf(addressRate, `session\n${replaced?.id}`)
  const uses = [ofSession, ...limits.usesAt(addressRate, asked.address)]
  return withUses(attempt, (await limits.count(uses)).uses)
}

// decisions/0071-a-browser-stays-logged-in-after-a-first-app.md
/**
 * Steps up with the code that has just confirmed a first app: the code is spent, so it cannot be
 * proved once more. Does NOT verify it: call this only after the confirmation in this session. All
 * other sessions have ended then, and whatever removes the app ends this one, which the transaction
 * demands to be active. Returns undefined if the session has ended, or if its login is too old.
 */
export async function stepUpWithNewApp<U>(
  asked: AskedLogin,
  parts: FinishParts<U>,
): Promise<FinishedLogin | undefined> {
  const opened = await parts.attempts.open(asked)
  const begun = opened && (await beginStepUp(opened, parts))
  if (begun?.outcome !== 'proved') return undefined

  const { attempt, user } = begun
  // Only for the decision: the session starts without this proof, so nothing compares its mark.
  const code = { method: otpMethod.name, at: parts.clock.now(), mark: '' }
  const decision = await decide(withProof(attempt, subjectOf(attempt), code), user, parts)
  if (decision.outcome !== 'granted') return undefined
  return start(attempt, { granted: decision, user, isOwnFactor: true }, parts)
}
