import { ProblemError, type Clock } from 'keystile/internal'
import { countedMailbox } from '../../../base/mailbox.ts'
import type { Database } from '../../../storage/database.ts'
import type { AccountEvent } from '../../users/accounts/audit-events.ts'
import { aboutMember, taken } from '../../users/accounts/route-parts.ts'
import type { User, Users } from '../../users/accounts/users.ts'
import { verifyCounted, type VerifyCountedParts } from '../../users/accounts/verify-counted.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import type { By } from '../../operations/audit/entry.ts'
import { mailboxOf, type ComparableName } from '../../users/directory/names.ts'
import { useOf } from '../../operations/limits/uses.ts'
import type { FoundProof, MailProofs, PreparedRequest } from '../proofs/proofs.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import type { FoundRegistration, Registrations } from '../pending-registration/registrations.ts'
import { verificationConfirmRate, verificationPasswordRate, verificationRate } from './feature.ts'
import { verificationKind, type VerificationRequest } from './purpose.ts'
import { verifyEmail } from './store.ts'

/** Verifies addresses of accounts and of registrations. Endpoints and pages use it. */
export interface Verifications {
  /**
   * Prepares the request for the mail to a new user. The transaction that creates the user stores
   * the request.
   */
  prepare(email: ComparableName, language: string): PreparedRequest
  /**
   * Stores a request for another mail to a user. The mail is sent after the answer.
   *
   * @returns the id of the request, which the user needs for the code
   * @throws {ProblemError} `conflict` if the user has no address or the address is already
   *   verified, `too_many_requests`
   */
  request(user: User, language: string): Promise<string>
  /**
   * Verifies the address of an account, or turns a registration into an account. Besides the link
   * or code, it requires the password or an access token of the account, because another person may
   * have registered with this address. The code of a registration is enough alone: only the person
   * who registered has the id of the registration.
   *
   * @returns the new user, if this was a registration
   * @throws {ProblemError} `forbidden` (without the reason) if the link or the code is not valid,
   *   or the password and the token are missing; `forbidden` with `errors` for a wrong password;
   *   `conflict` with `errors` for a name that is taken; `unprocessable_content`,
   *   `too_many_requests`, `temporarily_unavailable`. After an error with `errors`, the link or the
   *   code can be used again
   */
  confirm(confirmation: Confirmation, by: By): Promise<User | undefined>
  /** Whether the token of a link can still be confirmed. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

/**
 * What a person presents: the token of a link, or a code together with the id of its request or
 * registration.
 */
export type PresentedVerification =
  | { readonly token: string }
  | { readonly requestId: string; readonly code: string }
  | { readonly registrationId: string; readonly code: string }

/**
 * What a person sends to confirm: a link or a code, and the password or token that
 * `Verifications.confirm()` requires.
 */
export interface Confirmation {
  readonly presented: PresentedVerification
  /** The subject of the access token in the request; undefined if the request has no token. */
  readonly caller?: string | undefined
  /** The password of the account, or the password that the person chose at the registration. */
  readonly password?: string | undefined
  /**
   * A user name that replaces the name from the registration. It requires `password`, because the
   * password rules depend on the name.
   */
  readonly username?: ComparableName | undefined
}

export interface VerificationParts extends VerifyCountedParts {
  readonly database: Pick<Database, 'write'>
  readonly proofs: MailProofs
  readonly registrations: Registrations
  readonly users: Pick<Users, 'readBySubject' | 'settle'>
  readonly passwords: Pick<Passwords, 'verify' | 'requireRoom'>
  readonly audit: Audit<AccountEvent>
  readonly clock: Clock
}

export function createVerifications(parts: VerificationParts): Verifications {
  const { proofs, limits } = parts
  return {
    prepare: ({ key }, language) =>
      proofs.prepare(verificationKind, valuesOf(key, language), countedMailbox(key)),
    async request({ publicUser: { id, email, emailVerified } }, language) {
      const mailbox = mailboxOf(email)
      if (mailbox === undefined || emailVerified)
        throw new ProblemError(
          'conflict',
          emailVerified ? 'The email is already verified' : 'There is no email to verify',
        )

      await limits.count([useOf(verificationRate, id)])
      const values = valuesOf(mailbox, language)
      return proofs.request(verificationKind, values, countedMailbox(mailbox))
    },
    async confirm(confirmation, by) {
      parts.passwords.requireRoom(by.address)
      const spent = await limits.count(limits.usesAt(verificationConfirmRate, by.address))

      const { presented } = confirmation
      const proof = 'registrationId' in presented ? undefined : await findProof(presented, parts)
      const user = proof
        ? await verify(proof, { ...confirmation, by }, parts)
        : await finishOf(await findRegistration(presented, parts), { ...confirmation, by }, parts)
      await limits.refund(spent)
      return user
    },
    async isOpen(token) {
      const proof = await findProof({ token }, parts)
      const found = proof ? await findOwner(proof, parts) : await findRegistration({ token }, parts)
      return found !== undefined
    },
  }
}

function valuesOf(email: string, language: string): VerificationRequest {
  return { email, language }
}

type Confirming = Confirmation & { readonly by: By }

function findProof(
  presented: Exclude<PresentedVerification, { readonly registrationId: string }>,
  { proofs }: VerificationParts,
): Promise<FoundProof | undefined> {
  return proofs.find(verificationKind, presented)
}

async function findRegistration(
  presented: PresentedVerification,
  { registrations }: VerificationParts,
): Promise<FoundRegistration | undefined> {
  if ('token' in presented) return registrations.find(presented)
  if ('requestId' in presented) return undefined
  const { registrationId: requestId, code } = presented
  return registrations.find({ requestId, code })
}

/** Finds the user of a proof, if the user is active and still has the mailbox of the proof. */
async function findOwner(
  { subject, mailbox }: FoundProof,
  { users }: VerificationParts,
): Promise<User | undefined> {
  const user = await users.readBySubject(subject)
  return user?.active && mailboxOf(user.publicUser.email) === mailbox ? user : undefined
}

async function verify(
  proof: FoundProof,
  { caller, password, by }: Confirming,
  parts: VerificationParts,
): Promise<undefined> {
  const { database, users, audit, clock } = parts
  const { subject } = proof
  const user = await findOwner(proof, parts)
  if (!user) throw refused()

  if (caller !== subject) {
    if (password === undefined) throw refused()
    const isRight = await isRightPassword(password, { subject, hash: user.passwordHash, by }, parts)
    if (!isRight) {
      await audit.record({ event: 'password_refused', by, subject })
      throw wrongPassword()
    }
  }

  const { isVerified } = await database.write(verifyEmail, { proof, by, now: clock.now() })
  if (!isVerified) throw refused()
  await users.settle()
}

/** Turns a registration into an account. */
async function finishOf(
  found: FoundRegistration | undefined,
  { presented, password, username, by }: Confirming,
  parts: VerificationParts,
): Promise<User> {
  if (!found) throw refused()

  const { subject, passwordHash: hash } = found
  // A code needs no password: only the sender of the registration has its id.
  if (password === undefined) {
    if ('token' in presented || username) throw refused()
  } else if (!(await isRightPassword(password, { subject, hash, by }, parts))) throw wrongPassword()

  const changed = username && password !== undefined ? { username, password } : undefined
  const finished = await found.finish(changed, by)
  if (finished.outcome === 'created') return finished.user
  // Counts a taken name. Otherwise one registration could test any number of names.
  if (finished.outcome === 'taken')
    await parts.limits.count([useOf(verificationPasswordRate, subject)])
  throw finished.outcome === 'taken' ? taken(finished.field) : refused()
}

function isRightPassword(
  password: string,
  { subject, hash, by }: { readonly subject: string; readonly hash: string; readonly by: By },
  parts: VerificationParts,
): Promise<boolean> {
  const use = useOf(verificationPasswordRate, subject)
  return verifyCounted(password, { hash, use, address: by.address }, parts)
}

/**
 * Returns the error for a confirmation without a valid link or code. It does not say what is wrong.
 */
function refused(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The link or the code is wrong, was used before, or has expired; request a new one',
  )
}

function wrongPassword(): ProblemError {
  return aboutMember('forbidden', 'password', 'The password is wrong')
}
