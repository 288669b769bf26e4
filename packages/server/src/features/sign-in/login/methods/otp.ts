import type { AuthenticatorApp } from '../../../credentials/second-factors/second-factors.ts'
import { stepOf } from '../../../credentials/second-factors/totp.ts'
import type { Limits } from '../../../operations/limits/limits.ts'
import { useOf, type Use } from '../../../operations/limits/uses.ts'
import { factorKnownRate, factorRate } from '../../../users/directory/rates.ts'
import { subjectOf, withProof, withUses, type LoginAttempt } from '../attempt.ts'
import { factorDeviceRate } from '../feature.ts'
import type { Method, MethodParts, Proving, WrongFactor } from './method.ts'

/** A code of the authenticator app (RFC 6238). */
export const otpMethod: Method<'otp'> = {
  name: 'otp',
  amr: ['otp'],
  provesApp: true,
  parameters: {
    otp: { type: 'string', description: 'The code of the authenticator app: six digits' },
  },
  secondStep: {
    isDemanded: true,
    isSetUp: (subject, { secondFactors }) => secondFactors.isSetUp('otp', subject),
  },

  async count({ otp }, attempt, { limits, secondFactors }) {
    const subject = subjectOf(attempt)
    const app = readCode(otp) === undefined ? undefined : await secondFactors.findApp(subject)
    if (!app) return attempt
    // A device that logged in with the password alone proves nothing about the app. Where nothing
    // is counted, no device is known: only the stop of the app counts its codes.
    const { appId, appSince } = attempt.counted ?? {}
    const isKnown = limits.isOn && appSince === app.createdAt.getTime()
    const device = { subject, known: isKnown ? appId : undefined }
    return withUses(attempt, await countCode(device, app, limits))
  },

  async prove({ otp }, attempt, parts) {
    const { directory, secondFactors, clock } = parts
    const subject = subjectOf(attempt)
    const code = readCode(otp)
    if (code === undefined) return refused('malformed_code', subject)

    const app = await secondFactors.findApp(subject)
    if (!app) return refused('wrong_code', subject)
    const asKnown = isCountedAsKnown(attempt)
    const isOpen = asKnown || app.takesUnknownDevices
    const now = clock.now()
    const step = isOpen ? stepOf(app.secret, code, now) : undefined
    // A code that was right once is no guess: perhaps the answer to its first use was lost.
    if (step === undefined && !asKnown) await tellOwner(subject, attempt, parts)
    if (step === undefined || step <= app.lastStep) return refused('wrong_code', subject)

    const user = await directory.findActive(subject)
    if (user === undefined) return refused('inactive', subject)
    const proof = { method: 'otp', at: now, mark: JSON.stringify([step, app.sealed]) }
    return { outcome: 'proved', attempt: withProof(attempt, subject, proof), user }
  },
}

/**
 * Counts a code, and returns its uses of rate limits. A known device that has used up its limit
 * counts as an unknown one: a thief may have a copy of its secret, which the browser of the owner
 * cannot leave out. If unknown devices cannot use codes, the limit of the device stays.
 *
 * @param device.known the id of the device, if it is known
 * @throws {ProblemError} `too_many_requests`
 */
async function countCode(
  { subject, known }: { readonly subject: string; readonly known: string | undefined },
  { takesUnknownDevices }: Pick<AuthenticatorApp, 'takesUnknownDevices'>,
  limits: Limits,
): Promise<readonly Use[]> {
  if (known !== undefined) {
    const ofDevice = [useOf(factorDeviceRate, known), useOf(factorKnownRate, subject)]
    const spent = takesUnknownDevices
      ? await limits.tryCount(ofDevice)
      : await limits.count(ofDevice)
    if (spent) return spent.uses
  }
  return (await limits.count([useOf(factorRate, subject)])).uses
}

/** Whether the code of an attempt was counted as one from a known device. */
function isCountedAsKnown({ counted }: LoginAttempt): boolean {
  return counted?.spent.uses.some(({ rate }) => rate.name === factorDeviceRate.name) ?? false
}

/** Returns a code without spaces. Undefined if it is not six digits. */
export function readCode(otp: string): string | undefined {
  const code = otp.replaceAll(/\s/g, '')
  return /^\d{6}$/.test(code) ? code : undefined
}

/**
 * Counts a wrong code from an unknown device. A mail tells the owner, at most once a day, that
 * another person may know the password or use a session.
 */
async function tellOwner<U>(
  subject: string,
  { asked: { address, acceptLanguage } }: LoginAttempt,
  { directory, notices, wrongCodes }: MethodParts<U>,
): Promise<void> {
  const user = await directory.findActive(subject)
  if (user === undefined) return
  const notice = notices('factor_guessed', { address, acceptLanguage })
  const to = { email: directory.email(user), isVerified: directory.emailVerified(user) }
  await wrongCodes.record(subject, notice, to)
}

function refused<U>(reason: WrongFactor | 'inactive', subject: string): Proving<U> {
  return { outcome: 'refused', reason, subject }
}
