import type { Clock, JsonObject, Logger } from 'keystile/internal'
import type { Passwords } from '../../../credentials/password/password.ts'
import type { SecondFactorChoice } from '../../../credentials/second-factors/factor-choice.ts'
import type { SecondFactors } from '../../../credentials/second-factors/second-factors.ts'
import type { Notices } from '../../../mail/messages/notices.ts'
import type { Audit } from '../../../operations/audit/audit.ts'
import type { Limits } from '../../../operations/limits/limits.ts'
import type { Directory } from '../../../users/directory/directory.ts'
import type { RememberedDevices } from '../../attempts/remembered-devices.ts'
import type { Devices } from '../../known-devices/devices.ts'
import type { LoginAttempt } from '../attempt.ts'
import type { Attempts } from '../attempts.ts'
import type { LoginEvent } from '../feature.ts'
import type { MethodName } from '../marks-in-transaction.ts'
import type { WrongCodes } from '../wrong-codes.ts'

export interface MethodParts<U> {
  readonly directory: Directory<U>
  readonly passwords: Passwords
  readonly secondFactors: SecondFactors
  readonly secondFactor: SecondFactorChoice
  readonly audit: Audit<LoginEvent>
  readonly attempts: Attempts
  readonly wrongCodes: WrongCodes
  readonly limits: Limits
  readonly devices: Devices
  readonly remembered: RememberedDevices
  readonly notices: Notices
  readonly clock: Clock
  readonly logger: Logger
}

/** A way to prove who one is. To add one, see "A login method" in ARCHITECTURE.md. */
export interface Method<Name extends string = string> {
  readonly name: MethodName
  /**
   * The values of the claim `amr` that stand for this method (RFC 8176 §2). The policy adds `mfa`
   * for a second step.
   */
  readonly amr: readonly string[]
  /** Whether it proves the authenticator app. Then the device is known for the codes of the app. */
  readonly provesApp?: true
  /** Whether it stands for a lost factor. Then the audit record and a mail say so. */
  readonly isRecovery?: true
  /** The parameters of a proof, each as JSON Schema. All are needed. */
  readonly parameters: Readonly<Record<Name, JsonObject>>
  /** Undefined for a method with which a login begins. */
  readonly secondStep?: SecondStep
  /**
   * Whether an earlier proof still counts when its attempt goes on. A method without this function
   * leaves that to the transaction that ends the login. If a login ends with an authorization code,
   * only the marks of methods with this function are compared again at its exchange: the others
   * rely on `endSessions`, which also deletes unused codes.
   */
  isCurrent?<U>(user: U, mark: string, parts: Pick<MethodParts<U>, 'directory'>): boolean
  /**
   * Counts a second step against a rate of the method, if a proof can be guessed. Comes before the
   * attempt counts a try.
   *
   * @returns the attempt with the uses, which the transaction that ends the login refunds
   * @throws {ProblemError} `too_many_requests`: then, nothing is compared
   */
  count?<U>(
    values: Readonly<Record<Name, string>>,
    attempt: LoginAttempt,
    parts: MethodParts<U>,
  ): Promise<LoginAttempt>
  /** @throws {ProblemError} `too_many_requests`, `temporarily_unavailable` */
  prove<U>(
    values: Readonly<Record<Name, string>>,
    attempt: LoginAttempt,
    parts: MethodParts<U>,
  ): Promise<Proving<U>>
}

export interface SecondStep {
  /**
   * Whether logins of a user who has set this method up need a second step. Then it must also be in
   * the list of all second factors: features/credentials/second-factors/factors-in-transaction.ts.
   */
  readonly isDemanded: boolean
  isSetUp<U>(
    subject: string,
    parts: Pick<MethodParts<U>, 'secondFactors' | 'directory'>,
  ): Promise<boolean>
}

export type Proving<U> =
  /** `user` was read after the proof. */
  | { readonly outcome: 'proved'; readonly attempt: LoginAttempt; readonly user: U }
  /** The account changed during the proof. Another try may succeed. */
  | { readonly outcome: 'changed'; readonly attempt: LoginAttempt }
  | RefusedProof

export interface RefusedProof {
  readonly outcome: 'refused'
  readonly reason: RefusalReason
  /** The user who was found, for the audit record. */
  readonly subject: string | undefined
}

/**
 * Why a login was refused. The caller must not learn the reason: the answers must be the same, so
 * that they do not reveal which users exist.
 */
export type RefusalReason =
  /** Wrong for every account, so it is neither counted nor recorded. */
  | 'password_too_long'
  | 'unknown_user'
  | 'no_password'
  | 'wrong_password'
  | 'inactive'
  | WrongFactor
  /** The account changed during each try. */
  | 'changed_meanwhile'

/** These refusals come after a right password or in a session, so the caller may learn them. */
export type WrongFactor = (typeof wrongFactors)[number]

const wrongFactors = [
  'malformed_code',
  'wrong_code',
  'wrong_recovery_code',
  'unknown_enrolment',
  'wrong_email_code',
] as const

export function isWrongFactor(reason: RefusalReason): reason is WrongFactor {
  return wrongFactors.some((one) => one === reason)
}
