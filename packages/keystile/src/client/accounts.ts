// What users do with their accounts: register, set a new password, and verify or change an address.
import { askAccounts } from './ask-accounts.ts'
import type { Answer, Fetch } from './ask-issuer.ts'
import { ClientError } from './client-error.ts'

/** What an invited person chooses. All other members are fields of the user's profile. */
export interface InvitedAccount {
  readonly username: string
  readonly password: string
  readonly [profileField: string]: unknown
}

/** A new account. All other members are fields of the user's profile. */
export interface NewAccount extends InvitedAccount {
  readonly email: string
}

export type Registered =
  | {
      /** The account exists. */
      readonly isPending: false
      /** The id to pass to `verifyEmail`; `undefined` if the issuer has sent no mail. */
      readonly requestId: string | undefined
    }
  | {
      /** The account does not exist until the person confirms the mail. */
      readonly isPending: true
      /** The id to pass to `finishRegistration`. */
      readonly registrationId: string
    }

/**
 * The result of a method that sends a mail. If the user types the code from the mail, the app sends
 * the code together with this `requestId`.
 */
export interface MailRequest {
  readonly requestId: string
}

/**
 * The proof that a mail contains: either the `token` of its link, or its code. The code works only
 * together with the id of the request.
 */
export type MailProof =
  | { readonly token: string; readonly requestId?: undefined; readonly code?: undefined }
  | { readonly requestId: string; readonly code: string; readonly token?: undefined }

/**
 * The proof that confirms a registration: either the `token` of the link and the chosen password,
 * or the code and the id of the registration.
 */
export type RegistrationProof = {
  /**
   * A different user name. Needed if another user has taken the chosen name in the meantime. A
   * proof with a `username` must also have the `password`.
   */
  readonly username?: string
} & (
  | {
      readonly token: string
      readonly password: string
      readonly registrationId?: undefined
      readonly code?: undefined
    }
  | {
      readonly registrationId: string
      readonly code: string
      readonly password?: string
      readonly token?: undefined
    }
)

/**
 * The proof in a mail, and the password of the account. A user who is signed in may leave out the
 * password.
 */
export type OwnMailProof = MailProof & { readonly password?: string }

/**
 * The methods of a client that create and change accounts of Keystile. None of them signs a user
 * in. The methods that need a mail work only if the issuer sends mails.
 *
 * A method that fails throws a `ClientError`. The `code` of the error is one that the method lists,
 * or one of these:
 *
 * - `unprocessable_content` if a value is not acceptable; the `fields` of the error say which value
 * - `temporarily_unavailable` if the issuer cannot answer now or gets too many requests
 * - `not_found` if the issuer does not have the endpoint
 */
export interface AccountMethods {
  /**
   * Registers a user: `POST /users`. With `emailVerification: 'required'` at the issuer, the
   * registration is pending until the person confirms the mail: see `finishRegistration`.
   *
   * @throws {ClientError} `conflict` if the user name or the address is taken, `forbidden` if
   *   registration is closed
   */
  register(account: NewAccount): Promise<Registered>
  /**
   * Confirms a pending registration. The issuer then creates the account:
   * `POST /email-verifications/confirm`.
   *
   * @throws {ClientError} `forbidden` if the password is wrong, or if the link or the code is
   *   wrong or has expired; `conflict` if another user has taken the user name or the address in
   *   the meantime
   */
  finishRegistration(proof: RegistrationProof): Promise<void>
  /**
   * Sends a mail with a link and a code for a new password: `POST /password-resets`. If no account
   * has this name or address, no mail is sent, but the result looks the same.
   *
   * @param account.login a user name or an e-mail address
   */
  requestPasswordReset(account: { readonly login: string }): Promise<MailRequest>
  /**
   * Sets a new password, and ends all sessions of the user: `POST /password-resets/confirm`. A
   * refused password does not use up the link or the code.
   *
   * @throws {ClientError} `forbidden` if the link or the code is wrong or has expired
   */
  resetPassword(proof: MailProof & { readonly password: string }): Promise<void>
  /**
   * Sends another mail to verify the address of the user who is signed in:
   * `POST /email-verifications`.
   *
   * @throws {ClientError} `conflict` if the address is already verified, `not_signed_in` if no user
   *   is signed in
   */
  requestEmailVerification(): Promise<MailRequest>
  /**
   * Verifies the address of an account: `POST /email-verifications/confirm`.
   *
   * @throws {ClientError} `forbidden` if the password is wrong, or if the link or the code is
   *   wrong or has expired; `not_signed_in` if `proof` has no password and no user is signed in
   */
  verifyEmail(proof: OwnMailProof): Promise<void>
  /**
   * Changes the address of the user who is signed in: `POST /users/me/email`. If the issuer
   * verifies addresses, the address changes only when the user confirms the mail: see
   * `confirmEmailChange`.
   *
   * @param change.password the current password
   * @returns the id of the request; no id if the address was changed at once
   * @throws {ClientError} `forbidden` for a wrong password, `conflict` if the address is taken,
   *   `not_signed_in` if no user is signed in
   */
  changeEmail(change: {
    readonly email: string
    readonly password: string
  }): Promise<Partial<MailRequest>>
  /**
   * Confirms a new address: `POST /email-changes/confirm`.
   *
   * @throws {ClientError} `forbidden` if the password is wrong, or if the link or the code is
   *   wrong or has expired; `not_signed_in` if `proof` has no password and no user is signed in
   */
  confirmEmailChange(proof: OwnMailProof): Promise<void>
  /**
   * Restores the old address, with the link that was mailed to it: `POST /email-changes/undo`. Ends
   * all sessions and disables the password. The old address gets a mail to set a new password.
   *
   * @throws {ClientError} `forbidden` if the link is wrong or has expired
   */
  undoEmailChange(proof: { readonly token: string }): Promise<void>
  /**
   * Creates the account of an invited person: `POST /invitations/accept`. All members besides the
   * proof, `username` and `password` are fields of the user's profile.
   *
   * @throws {ClientError} `forbidden` if the link or the code is wrong or has expired; `conflict`
   *   if the user name or the address is taken
   */
  acceptInvitation(invitation: MailProof & InvitedAccount): Promise<void>
}

export interface AccountParts {
  /** The URL of the issuer, without a slash at the end. */
  readonly issuer: string
  readonly fetch: Fetch
  readonly fetchAsUser: Fetch
  /**
   * Returns the device secret of the last login; `undefined` if there is no device secret, or if a
   * cookie contains it.
   */
  readonly deviceSecret: () => Promise<string | undefined>
}

interface PostOptions {
  readonly send?: Fetch
  readonly names?: Readonly<Record<string, string>>
}

type Answered = Awaited<ReturnType<typeof askAccounts>>

// How the `fields` of an error name what the methods take: see `AccountRequest`.
const newPassword = { new_password: 'password' }
const newEmail = { new_email: 'email', current_password: 'password' }

export function createAccountMethods(parts: AccountParts): AccountMethods {
  const { issuer, fetch, fetchAsUser, deviceSecret } = parts
  const post = (
    path: string,
    body: object,
    { send = fetch, names = {} }: PostOptions = {},
  ): ReturnType<typeof askAccounts> => askAccounts(send, { url: issuer + path, body, names })
  const confirm = async (path: string, proof: OwnMailProof): Promise<void> => {
    // A password proves who the user is. Another user may be signed in here.
    const send = proof.password === undefined ? fetchAsUser : fetch
    requireDone(await post(path, wireProof(proof), { send }))
  }

  return {
    register: async (account) => registeredOf(await post('/users', account)),
    async finishRegistration({ registrationId, ...proof }) {
      const body = { ...proof, registration_id: registrationId }
      requireDone(await post('/email-verifications/confirm', body))
    },
    async requestPasswordReset({ login }) {
      const body = { login, device_secret: await deviceSecret() }
      return mailRequestOf(await post('/password-resets', body))
    },
    async resetPassword({ password, ...proof }) {
      const body = { ...wireProof(proof), new_password: password }
      requireDone(await post('/password-resets/confirm', body, { names: newPassword }))
    },
    requestEmailVerification: async () =>
      mailRequestOf(await post('/email-verifications', {}, { send: fetchAsUser })),
    verifyEmail: (proof) => confirm('/email-verifications/confirm', proof),
    async changeEmail({ email, password }) {
      const body = { new_email: email, current_password: password }
      const answered = await post('/users/me/email', body, { send: fetchAsUser, names: newEmail })
      return answered.status === 204 ? {} : mailRequestOf(answered)
    },
    confirmEmailChange: (proof) => confirm('/email-changes/confirm', proof),
    undoEmailChange: async ({ token }) => requireDone(await post('/email-changes/undo', { token })),
    acceptInvitation: async (invitation) =>
      requireDone(await post('/invitations/accept', wireProof(invitation))),
  }
}

/** Renames `requestId` to `request_id`, the name that the endpoints expect. */
function wireProof({ requestId, ...others }: { readonly requestId?: string | undefined }): object {
  return { ...others, request_id: requestId }
}

/**
 * Reads the outcome of a registration from an answer.
 *
 * @throws {ClientError} `temporarily_unavailable` for an answer that Keystile did not send
 */
function registeredOf({ answer }: Answered): Registered {
  const { registration_id: registrationId, verification_request_id: requestId } = answer
  if (typeof registrationId === 'string') return { isPending: true, registrationId }
  requireId(answer)
  return { isPending: false, requestId: typeof requestId === 'string' ? requestId : undefined }
}

/**
 * Reads `request_id` from an answer: the id of a request for a mail.
 *
 * @throws {ClientError} `temporarily_unavailable` for an answer that Keystile did not send
 */
function mailRequestOf({ answer: { request_id: requestId } }: Answered): MailRequest {
  if (typeof requestId !== 'string') throw ofAnotherServer()
  return { requestId }
}

/**
 * Checks that an answer comes from Keystile: it must have status 204, or contain the `id` of the
 * new user.
 *
 * @throws {ClientError} `temporarily_unavailable` for an answer that Keystile did not send
 */
function requireDone({ status, answer }: Answered): void {
  if (status !== 204) requireId(answer)
}

function requireId({ id }: Answer): void {
  if (typeof id !== 'string') throw ofAnotherServer()
}

/**
 * Creates the error for an answer that has a success status but does not come from the issuer, such
 * as the login page of a hotel's network.
 */
function ofAnotherServer(): ClientError {
  return new ClientError('temporarily_unavailable', 'The answer does not come from the issuer')
}
