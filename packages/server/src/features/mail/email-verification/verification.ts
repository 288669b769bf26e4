// The flow that verifies the address of an account. Its endpoint and its pages for confirmations
// also finish registrations: see `pending-registration/registration.ts`. What they do is in
// `verification-types.ts`, and the endpoints are in `routes.ts`.
import { ProblemError } from 'keystile/internal'
import { countedMailbox } from '../../../base/mailbox.ts'
import type { By } from '../../operations/audit/entry.ts'
import { useOf } from '../../operations/limits/uses.ts'
import { verifyCounted } from '../../users/accounts/prove-password.ts'
import { aboutMember, taken } from '../../users/accounts/refusals.ts'
import type { User } from '../../users/accounts/user.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import { confirmCounted, findOwner, refusedProof } from '../flows/confirmation.ts'
import type { FlowParts, MailFlow } from '../flows/flow.ts'
import type { FoundRegistration, Registrations } from '../pending-registration/registration.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { FoundProof } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { verificationRates } from './feature.ts'
import { confirmRoute, requestRoute } from './routes.ts'
import { bindVerification, verifyEmail } from './store.ts'
import type { Confirmation, PresentedVerification, Verifications } from './verification-types.ts'

const kind = proofKinds.verification

export interface VerificationParts extends FlowParts {
  readonly registrations: Registrations
}

export function verificationFlow(parts: VerificationParts): MailFlow & Verifications {
  const { proofs, registrations, passwords, directory, limits } = parts

  // The id beside a code says what the code confirms. The token of a link may confirm either.
  const findProof = async (presented: PresentedVerification): Promise<FoundProof | undefined> =>
    'registrationId' in presented ? undefined : proofs.find(kind, presented)
  const findRegistration = async (
    presented: PresentedVerification,
  ): Promise<FoundRegistration | undefined> =>
    'requestId' in presented ? undefined : registrations.find(presented)

  const verifications: Verifications = {
    prepare({ key }, language) {
      return proofs.prepare(kind, { email: key, language }, countedMailbox(key))
    },

    async request({ publicUser: { id, email, emailVerified } }, language) {
      const mailbox = mailboxOf(email)
      if (mailbox === undefined || emailVerified)
        throw new ProblemError(
          'conflict',
          emailVerified ? 'The email is already verified' : 'There is no email to verify',
        )

      await limits.count([useOf(verificationRates.user, id)])
      const values = { email: mailbox, language }
      return proofs.request(kind, values, countedMailbox(mailbox))
    },

    async confirm(confirmation, by) {
      passwords.requireRoom(by.address)
      const { presented } = confirmation
      const confirming = { ...confirmation, by }
      const tried = { ...presented, by, isOpen: verifications.isOpen }
      return confirmCounted(limits, verificationRates.confirm, tried, async () => {
        const proof = await findProof(presented)
        if (proof) return verify(proof, confirming, parts)

        const registration = await findRegistration(presented)
        if (!registration) throw refusedProof()
        return finish(registration, confirming, parts)
      })
    },

    async isOpen(token) {
      const proof = await proofs.find(kind, { token })
      if (proof) return (await findOwner(proof, directory)) !== undefined
      return (await registrations.find({ token })) !== undefined
    },
  }
  const routes = [requestRoute(verifications), confirmRoute(verifications, parts)]
  return { ...verifications, purpose: createPurpose(parts), routes }
}

/** The mail goes to the account that has the address at the time when the mail is stored. */
function createPurpose({ users }: VerificationParts): ProofPurpose {
  return {
    ...kind,
    bind: bindVerification,
    async resolve({ email = '' }) {
      const user = await users.findByLogin(email)
      const recipient = user?.publicUser.email
      const mailbox = mailboxOf(recipient)
      if (!user?.active || recipient == null || mailbox === undefined) return undefined
      return { subject: user.publicUser.id, mailbox, recipient }
    },
  }
}

type Confirming = Confirmation & { readonly by: By }

/** Verifies the address of an account, if the caller has its password or a token of its user. */
async function verify(
  proof: FoundProof,
  { caller, password, by }: Confirming,
  parts: VerificationParts,
): Promise<undefined> {
  const { database, users, directory, audit, clock } = parts
  const { subject } = proof
  const user = await findOwner(proof, directory)
  if (!user) throw refusedProof()

  if (caller !== subject) {
    if (password === undefined) throw refusedProof()
    const isRight = await isRightPassword(password, { subject, hash: user.passwordHash, by }, parts)
    if (!isRight) {
      await audit.record({ event: 'password_refused', by, subject })
      throw wrongPassword()
    }
  }

  const { isVerified } = await database.write(verifyEmail, { proof, by, now: clock.now() })
  if (!isVerified) throw refusedProof()
  await users.settle()
}

/** Turns a registration into an account. */
async function finish(
  registration: FoundRegistration,
  { presented, password, username, by }: Confirming,
  parts: VerificationParts,
): Promise<User> {
  const { subject, passwordHash: hash } = registration
  // A code needs no password: only the sender of the registration has its id.
  const needsPassword = 'token' in presented || username !== undefined
  if (password === undefined && needsPassword) throw refusedProof()
  if (password !== undefined && !(await isRightPassword(password, { subject, hash, by }, parts)))
    throw wrongPassword()

  const changed = username && password !== undefined ? { username, password } : undefined
  const finished = await registration.finish(changed, by)
  if (finished === 'refused') throw refusedProof()
  if (typeof finished === 'object') return finished

  // Counts a taken name. Otherwise one registration could test any number of names.
  await parts.limits.count([useOf(verificationRates.password, subject)])
  throw taken(finished)
}

function isRightPassword(
  password: string,
  { subject, hash, by }: { readonly subject: string; readonly hash: string; readonly by: By },
  parts: VerificationParts,
): Promise<boolean> {
  const use = useOf(verificationRates.password, subject)
  return verifyCounted(password, { hash, use, address: by.address }, parts)
}

function wrongPassword(): ProblemError {
  return aboutMember('forbidden', 'password', 'The password is wrong')
}
