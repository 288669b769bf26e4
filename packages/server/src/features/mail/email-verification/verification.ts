// The flow that verifies the address of an account. Its endpoint and its pages for confirmations
// also finish registrations: see `pending-registration/registration.ts`.
import type * as z from 'zod'
import { ProblemError } from 'keystile/internal'
import { countedMailbox } from '../../../base/mailbox.ts'
import { describeFields, readFields, strictFields, stringField } from '../../../http/json-body.ts'
import {
  emptyAnswer,
  jsonAnswer,
  type GuardedRoute,
  type OptionalRoute,
} from '../../../http/route.ts'
import { currentPasswordField, usernameField } from '../../users/accounts/account-fields.ts'
import {
  aboutMember,
  ownAccount,
  taken,
  tooManyTries,
  type AccountCaller,
} from '../../users/accounts/route-parts.ts'
import type { User } from '../../users/accounts/users.ts'
import { verifyCounted } from '../../users/accounts/prove-password.ts'
import { createdAnswer, describeCreated } from '../../users/accounts/wire-user.ts'
import { byCaller, byStranger } from '../../operations/audit/by.ts'
import type { By } from '../../operations/audit/entry.ts'
import { mailboxOf, type ComparableName } from '../../users/directory/names.ts'
import { useOf } from '../../operations/limits/uses.ts'
import {
  confirmCounted,
  findOwner,
  languageFor,
  refusedProof,
  requestAccepted,
  unprocessable,
  type FlowParts,
  type MailFlow,
} from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { FoundProof, PreparedRequest, Presented } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import type {
  FoundRegistration,
  PresentedRegistration,
  Registrations,
} from '../pending-registration/registration.ts'
import { verificationRates } from './feature.ts'
import { bindVerification, verifyEmail } from './store.ts'

const kind = proofKinds.verification

/** What the endpoints and the pages of the flow do. */
export interface Verifications {
  /**
   * Prepares the request for the mail to a new user. The transaction that creates the user stores
   * the request.
   *
   * @param language one of the languages of mails, or empty for the language of the settings
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
export type PresentedVerification = Presented | PresentedRegistration

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

export interface VerificationParts extends FlowParts {
  readonly registrations: Registrations
}

export function verificationFlow(parts: VerificationParts): MailFlow & Verifications {
  const { proofs, registrations, passwords, directory, limits } = parts

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
      return confirmCounted(limits, verificationRates.confirm, by, async () => {
        const { presented } = confirmation
        const proof = 'registrationId' in presented ? undefined : await proofs.find(kind, presented)
        if (proof) return verify(proof, { ...confirmation, by }, parts)
        const found = 'requestId' in presented ? undefined : await registrations.find(presented)
        return finish(found, { ...confirmation, by }, parts)
      })
    },

    async isOpen(token) {
      const proof = await proofs.find(kind, { token })
      const found = await (proof ? findOwner(proof, directory) : registrations.find({ token }))
      return found !== undefined
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
  found: FoundRegistration | undefined,
  { presented, password, username, by }: Confirming,
  parts: VerificationParts,
): Promise<User> {
  if (!found) throw refusedProof()

  const { subject, passwordHash: hash } = found
  // A code needs no password: only the sender of the registration has its id.
  if (password === undefined) {
    if ('token' in presented || username) throw refusedProof()
  } else if (!(await isRightPassword(password, { subject, hash, by }, parts))) throw wrongPassword()

  const changed = username && password !== undefined ? { username, password } : undefined
  const finished = await found.finish(changed, by)
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

/** `POST /email-verifications`: sends another mail to the user of the token. */
function requestRoute(verifications: Verifications): GuardedRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/email-verifications', {
      summary: 'Request a mail to verify the address',
      description:
        'Sends a mail with a link and a code, valid for 24 hours, to the address of the account. ' +
        '`Accept-Language` chooses the language of the mail.',
      success: requestAccepted,
      refuses: { 409: 'The email is already verified, or there is none', 429: tooManyTries },
    }),
    handle: async (request, { user }) =>
      jsonAnswer(202, { request_id: await verifications.request(user, languageFor(request)) }),
  }
}

const confirmation = strictFields({
  token: stringField().meta({ description: 'The `token` in the link' }).optional(),
  request_id: stringField().meta({ description: 'Send it with the code of an account' }).optional(),
  registration_id: stringField()
    .meta({ description: 'Send it with the code of a registration' })
    .optional(),
  code: stringField().meta({ example: '1234 5678' }).optional(),
  password: currentPasswordField
    .meta({
      description:
        'The password of the account or registration. Required, unless the request has an access ' +
        'token of the account or a `registration_id`. With `username`, it is always required',
    })
    .optional(),
  username: usernameField
    .meta({
      description:
        'Replaces the user name of the registration, for example if that is taken. Send ' +
        '`password` too',
    })
    .optional(),
})

/** `POST /email-verifications/confirm`: verifies an address, or finishes a registration. */
export function confirmRoute(
  verifications: Pick<Verifications, 'confirm'>,
  { issuer, profile }: Pick<FlowParts, 'issuer' | 'profile'>,
): OptionalRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/email-verifications/confirm', {
      summary: 'Verify an address',
      description:
        'Takes the token of the link; or the code, with the id of the request or of the ' +
        'registration. Except with the code of a registration, also requires the access token or ' +
        'the password of the account, because another person may have registered the address.',
      body: { type: 'json', schema: describeFields(confirmation) },
      success: { status: 204, description: 'The address of the account is verified' },
      otherSuccess: describeCreated(profile, 'The registration became this account'),
      refuses: {
        403: 'The link, the code or the password is wrong, was used before, or has expired',
        409: 'The username or the email is taken; `errors` says which',
        429: tooManyTries,
      },
    }),
    isOptional: true,
    async handle(request, caller) {
      const fields = await readFields(confirmation, request)
      const by = caller ? byCaller(request, caller.identity) : byStranger(request)
      const wanted = confirmationOf(fields, caller?.identity.subject)
      const user = await verifications.confirm(wanted, by)
      return user ? createdAnswer(user, issuer) : emptyAnswer
    },
  }
}

/** @throws {ProblemError} 422 if the body lacks a field, or has fields that cannot be combined */
function confirmationOf(
  fields: z.output<typeof confirmation>,
  caller: string | undefined,
): Confirmation {
  const presented = presentedOf(fields)
  const { password, username } = fields
  if (password === undefined && !caller && !('registrationId' in presented))
    throw unprocessable('The body must have password, unless the request has an access token')
  if (password === undefined && username)
    throw unprocessable('The body must have password together with username')
  return { presented, caller, password, username }
}

function presentedOf(fields: z.output<typeof confirmation>): PresentedVerification {
  const { token, code, request_id: requestId, registration_id: registrationId } = fields
  if ([token, requestId, registrationId].filter((id) => id !== undefined).length === 1) {
    if (token !== undefined && code === undefined) return { token }
    if (requestId !== undefined && code !== undefined) return { requestId, code }
    if (registrationId !== undefined && code !== undefined) return { registrationId, code }
  }
  throw unprocessable('The body must have either token, or code with request_id or registration_id')
}
