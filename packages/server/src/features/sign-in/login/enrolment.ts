// A person who must have a second factor and has none sets up an authenticator app within the
// login: after the password, and after a code in a mail if Keystile can write to the person.
// Otherwise a stolen password would be enough to add the thief's own phone.
import type { JsonObject } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { hashSecret, isSecretOf } from '../../../base/secret.ts'
import {
  hashRecoveryCode,
  makeRecoveryCodes,
} from '../../credentials/second-factors/recovery-codes.ts'
import { showSecret, type ShownSecret } from '../../credentials/second-factors/shown-secret.ts'
import { makeTotpSecret, stepOf } from '../../credentials/second-factors/totp.ts'
import type { FactorUndo } from '../../mail/factor-undo/undo.ts'
import { preferredLanguage } from '../../mail/messages/language.ts'
import type { CodeMailKind } from '../../mail/messages/message.ts'
import { prepareMail } from '../../mail/outbox/new-mail.ts'
import { makeCode } from '../../mail/proofs/new-proof.ts'
import { useOf } from '../../operations/limits/uses.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { labelOf } from '../../users/directory/directory.ts'
import { emailCodeRate } from '../../users/directory/rates.ts'
import { attemptMilliseconds } from '../attempts/kept-attempts.ts'
import { subjectOf, withProof, type Enrolment, type LoginAttempt } from './attempt.ts'
import type { EnrolmentMark, EnrolmentProof } from './enrolment-in-transaction.ts'
import { secretRate } from './feature.ts'
import type { MethodParts, RefusedProof, WrongFactor } from './methods/method.ts'
import { readCode } from './methods/otp.ts'

/** The parameters of an enrolment, beside those of the methods. */
export const enrolmentParameters: Readonly<Record<'enrol' | 'email_code', JsonObject>> = {
  enrol: {
    type: 'string',
    description:
      'The value `totp` sets up an authenticator app, if the account must have a second factor',
  },
  email_code: {
    type: 'string',
    description:
      'The code from the mail. Send it if the previous answer of this login had `email_code`',
  },
}

export interface EnrolmentParts<U> extends MethodParts<U> {
  readonly feed: Pick<EventFeed, 'tail'>
  /** How an authenticator app names the service. */
  readonly service: string
  /** Encrypts mails. Undefined if Keystile sends none. */
  readonly mailSeal: (() => Seal) | undefined
  /** Undefined if no mails are sent, and for an app's own users. */
  readonly undo: Pick<FactorUndo, 'prepare'> | undefined
}

/** The person must go on to set up a second factor, with this `auth_session`. */
export interface EnrolmentStep {
  readonly outcome: 'enrol'
  readonly authSession: string
  /** Whether the next step needs the code that was sent by mail. */
  readonly needsEmailCode: boolean
  /** The secret of the app, once the person may see it and has asked for it. */
  readonly shown?: ShownSecret
}

type RefusedEnrolment = RefusedProof & { readonly attempt: LoginAttempt }

type Enrolling<U> =
  | EnrolmentStep
  | RefusedEnrolment
  | {
      readonly outcome: 'proved'
      readonly attempt: LoginAttempt
      readonly user: U
      readonly recoveryCodes: readonly string[]
    }

/**
 * Goes on with the enrolment of a person who has proved the first step: sends the code to the
 * mailbox, compares it, shows the secret of the app, and proves the first code of the app. Returns
 * undefined if the attempt is over.
 *
 * @throws {ProblemError} `too_many_requests`
 */
export async function enrol<U>(
  { attempt, user }: { readonly attempt: LoginAttempt; readonly user: U },
  values: Readonly<Record<string, string | undefined>>,
  parts: EnrolmentParts<U>,
): Promise<Enrolling<U> | undefined> {
  const isNew = attempt.authSession === undefined
  const begun = isNew ? await begin(attempt, user, parts) : attempt
  const { authSession, enrolment } = begun
  if (authSession === undefined || !enrolment) return undefined

  const { emailCode } = enrolment
  // The code went to the address that the user had then.
  if (emailCode && emailCode.recipient !== parts.directory.email(user)) return undefined
  if ((values['enrol'] ?? 'totp') !== 'totp') return refused('unknown_enrolment', begun)

  // Codes beside the password cannot be those of an enrolment that has just begun.
  const { email_code: code, otp } = isNew ? {} : values

  let kept = begun
  if (code !== undefined && emailCode) {
    const proving = await proveEmailCode(code, emailCode, { attempt: begun, parts })
    if (proving?.outcome !== 'proved') return proving
    kept = proving.attempt
  }

  const needsEmailCode = emailCode !== undefined && !hasMailbox(kept)
  const step = { outcome: 'enrol', authSession, needsEmailCode } as const
  if (needsEmailCode) return step
  if (otp !== undefined) return proveApp(otp, enrolment, { attempt: kept, user, parts })
  if (values['enrol'] === undefined) return step

  await parts.limits.count([useOf(secretRate, subjectOf(kept))])
  return { ...step, shown: showTo(user, enrolment, parts) }
}

/**
 * Stores the attempt with a secret for the app. If Keystile can write to the person, also stores
 * the mail with a code.
 */
async function begin<U>(
  attempt: LoginAttempt,
  user: U,
  { directory, attempts, mailSeal, clock }: EnrolmentParts<U>,
): Promise<LoginAttempt> {
  const secret = makeTotpSecret()
  const recipient = directory.email(user)
  if (!mailSeal || recipient === undefined)
    return attempts.keep({ ...attempt, enrolment: { secret } }, { isFactorMissing: true })

  const [code, now] = [makeCode(), clock.now()]
  const parameters = {
    code,
    expires_at: new Date(now + attemptMilliseconds).toISOString(),
    language: preferredLanguage(attempt.asked.acceptLanguage),
  }
  const template: CodeMailKind = 'enrolment_code'
  const kind = { template, lifetimeMilliseconds: attemptMilliseconds }
  const mail = prepareMail(kind, { parameters, seal: mailSeal() }, now)
  const enrolment = { secret, emailCode: { hash: hashSecret(code), recipient } }
  const isVerified = directory.emailVerified(user)
  const addressed = { mail, recipient, isVerified }
  return attempts.keep({ ...attempt, enrolment }, { isFactorMissing: true, mail: addressed })
}

/** Compares the code of the mail. It works once, also if it is sent several times in parallel. */
async function proveEmailCode<U>(
  code: string,
  { hash, recipient }: NonNullable<Enrolment['emailCode']>,
  { attempt, parts }: { readonly attempt: LoginAttempt; readonly parts: EnrolmentParts<U> },
): Promise<
  RefusedEnrolment | { readonly outcome: 'proved'; readonly attempt: LoginAttempt } | undefined
> {
  const { attempts, limits, feed, clock } = parts
  // Before the try: a code that the limit refuses is not compared, so it uses up no try.
  const spent = await limits.count([useOf(emailCodeRate, subjectOf(attempt))])
  if (!(await attempts.countTry(attempt))) return undefined
  if (!isSecretOf(code.replaceAll(/[\s-]/g, ''), hash)) return refused('wrong_email_code', attempt)
  if (hasMailbox(attempt)) {
    // A reload of the page sends the right code again. This does not count as a guess.
    await limits.refund(spent)
    return refused('wrong_email_code', attempt)
  }

  const proof = { method: mailboxProof, at: clock.now(), mark: recipient }
  const proved = await attempts.proveMailbox(attempt, proof)
  if (!proved) return refused('wrong_email_code', attempt)
  await limits.refund(spent)
  await feed.tail()
  return { outcome: 'proved', attempt: proved }
}

const mailboxProof: EnrolmentProof = 'email_code'
const appProof: EnrolmentProof = 'enrolment'

function hasMailbox({ proofs }: LoginAttempt): boolean {
  return proofs.some(({ method }) => method === mailboxProof)
}

/** Shows a person the secret of the app, with a name for the account. */
function showTo<U>(
  user: U,
  { secret }: Enrolment,
  { service, directory }: EnrolmentParts<U>,
): ShownSecret {
  return showSecret(secret, { service, account: labelOf(user, directory) })
}

/** Proves the first code of the app. The transaction that ends the login adds the app. */
async function proveApp<U>(
  otp: string,
  { secret }: Enrolment,
  {
    attempt,
    user,
    parts,
  }: { readonly attempt: LoginAttempt; readonly user: U; readonly parts: EnrolmentParts<U> },
): Promise<Enrolling<U> | undefined> {
  const { attempts, directory, secondFactors, notices, clock } = parts
  if (!(await attempts.countTry(attempt))) return undefined
  const code = readCode(otp)
  if (code === undefined) return refused('malformed_code', attempt)
  const now = clock.now()
  const step = stepOf(secret, code, now)
  if (step === undefined) return refused('wrong_code', attempt)

  const { address, acceptLanguage } = attempt.asked
  const [subject, recoveryCodes] = [subjectOf(attempt), makeRecoveryCodes()]
  const sealed = secondFactors.seal(subject, secret)
  const email = directory.email(user)
  const mark: EnrolmentMark = {
    sealed,
    codeIds: recoveryCodes.map(hashRecoveryCode),
    notice: notices('factor_added', { address, acceptLanguage }),
    undo: parts.undo?.prepare({ actor: `user:${subject}`, address, acceptLanguage }, email),
    noticeTo: { email, isVerified: directory.emailVerified(user) },
    address,
  }
  // In this order: the code belongs to the app that the first mark adds.
  const added = { method: appProof, at: now, mark: JSON.stringify(mark) }
  const proof = { method: 'otp', at: now, mark: JSON.stringify([step, sealed]) }
  const proved = withProof(withProof(attempt, subject, added), subject, proof)
  return { outcome: 'proved', attempt: proved, user, recoveryCodes }
}

function refused(reason: WrongFactor, attempt: LoginAttempt): RefusedEnrolment {
  return { outcome: 'refused', reason, subject: attempt.subject, attempt }
}
