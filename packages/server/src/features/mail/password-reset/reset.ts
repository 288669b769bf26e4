// The flow for users who have forgotten their password: they set a new one with a link or a code
// from a mail.
import {
  describeFields,
  readFields,
  refuseFaults,
  strictFields,
  stringField,
} from '../../../http/json-body.ts'
import { emptyAnswer, jsonAnswer, type OpenRoute } from '../../../http/route.ts'
import { findPasswordErrors, newPasswordField } from '../../users/accounts/account-fields.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/route-parts.ts'
import { addressOf } from '../../../http/address.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { By } from '../../operations/audit/entry.ts'
import { countedLogin } from '../../users/directory/counted-login.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf } from '../../operations/limits/uses.ts'
import {
  confirmCounted,
  findOwner,
  languageFor,
  presentedOf,
  proofFields,
  proofRefuses,
  refusedProof,
  requestAccepted,
  type FlowParts,
  type MailFlow,
} from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { Presented } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { resetRates } from './feature.ts'
import type { PasswordStore } from './new-password.ts'

interface WantedReset {
  /** The user name or e-mail address, as the person typed it. */
  readonly login: string
  /** One of the languages of mails, or empty for the language of the settings. */
  readonly language: string
  /** The device secret of the caller. Requests of known devices have own limits. */
  readonly deviceSecret: string | undefined
}

/** What the endpoints and the pages of the flow do. */
export interface PasswordResets {
  /**
   * Stores a request. The mail is sent later. Does NOT look up the account: the work and the result
   * are the same if `login` belongs to no user.
   *
   * @returns the id of the request. The caller must send it together with the code of the mail
   * @throws {ProblemError} `too_many_requests`
   */
  request(wanted: WantedReset, address: string | undefined): Promise<string>
  /**
   * Sets the new password and ends all sessions of the user. A refused password does not use up the
   * link or the code.
   *
   * @throws {ProblemError} `forbidden` if the link or the code is not valid, without saying why;
   *   `unprocessable_content` for an unacceptable password; `too_many_requests`;
   *   `temporarily_unavailable`
   */
  confirm(presented: Presented, newPassword: string, by: By): Promise<void>
  /** Whether the token of a link can still set a new password. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

export interface PasswordResetParts<U> extends FlowParts<U> {
  readonly store: PasswordStore
}

export function passwordResetFlow<U>(
  parts: PasswordResetParts<U>,
): MailFlow<unknown> & PasswordResets {
  const { directory, store, proofs, passwords, passwordPolicy, limits, notices } = parts
  const resets: PasswordResets = {
    async request({ login: typed, language, deviceSecret: sent = '' }, address) {
      // The request is stored, so a stranger must not choose how long it is.
      const device = parts.devices.open(sent)
      const deviceSecret = device ? sent : ''
      const login = typed.slice(0, maxLoginLength)
      const wanted = { login, language, deviceSecret }
      await countRequest(device?.account, address, limits)
      return proofs.request(proofKinds.passwordReset, wanted, countedLogin(login))
    },

    async confirm(presented, newPassword, by) {
      passwords.requireRoom(by.address)
      await confirmCounted(limits, resetRates.confirm, by, async () => {
        const proof = await proofs.find(proofKinds.passwordReset, presented)
        const user = await findOwner(proof, directory)
        if (!proof || user === undefined) throw refusedProof()

        const owner = { username: directory.username(user), email: directory.email(user) }
        refuseFaults(findPasswordErrors('new_password', newPassword, owner, passwordPolicy))
        const hash = await passwords.hash(newPassword, by.address)

        const notice = notices('password_changed', by)
        if (!(await store.setPassword({ proof, hash, notice, by }))) throw refusedProof()
      })
    },

    async isOpen(token) {
      const proof = await proofs.find(proofKinds.passwordReset, { token })
      return (await findOwner(proof, directory)) !== undefined
    },
  }
  const routes = [requestRoute(resets), confirmRoute(resets, passwordPolicy)]
  return { ...resets, purpose: createPurpose(parts), routes }
}

/**
 * Only an active user with an address and a password gets a mail: a user without a password logs in
 * by other means, and access to the mailbox must not be enough to add a password. If the address of
 * the user is verified, the mail counts for the share `reset`, so strangers cannot prevent it
 * (decisions/0066-resets-have-their-own-share.md). For a known device it has another share first.
 */
function createPurpose<U>({ directory, store, devices }: PasswordResetParts<U>): ProofPurpose {
  return {
    ...proofKinds.passwordReset,
    bind: store.bind,
    async resolve({ login = '', deviceSecret = '' }) {
      const user = await directory.findByLogin(login)
      if (user === undefined || !directory.active(user)) return undefined

      const [recipient, hash] = [directory.email(user), directory.storedHash(user)]
      const mailbox = mailboxOf(recipient)
      if (recipient === undefined || mailbox === undefined || hash === undefined) return undefined

      const subject = directory.subject(user)
      if (!directory.emailVerified(user)) return { subject, mailbox, recipient }

      const device = devices.open(deviceSecret)
      const passwordSession = directory.passwordSession(user)
      const holder = { subject, passwordMark: passwordMark(hash), passwordSession }
      const known = device?.isOf(holder) === true ? device.id : undefined
      return { subject, mailbox, recipient, share: 'reset', device: known }
    },
  }
}

const maxLoginLength = 320

/**
 * Counts a request against the limits of its IP address and of the server. The typed name has no
 * limit: strangers would use it up. If the request has a valid device secret, it counts against the
 * limit of the account in the secret, and against a limit of the server that strangers cannot use
 * up. If one of these is exhausted, the request counts like any other. The resolver checks later
 * whose device it is: a lookup here could reveal that the account exists.
 *
 * @param account the account in the device secret; undefined without a valid one
 */
async function countRequest(
  account: string | undefined,
  address: string | undefined,
  limits: Limits,
): Promise<void> {
  // A device may belong to any user, so its requests count for the address too.
  const ofAddress = limits.usesAt(resetRates.address, address)
  if (account !== undefined) {
    const ofAccount = useOf(resetRates.account, account)
    const uses = [ofAccount, useOf(resetRates.known, ''), ...ofAddress]
    if (await limits.tryCount(uses)) return
  }

  await limits.count([useOf(resetRates.server, ''), ...ofAddress])
}

const request = strictFields({
  login: stringField().meta({ description: 'A user name or an e-mail address', example: 'ada' }),
  device_secret: stringField()
    .meta({ description: 'The device secret of the last login on this device' })
    .optional(),
})

/**
 * `POST /password-resets`: sends a link and a code, if an account has the name or address in
 * `login`.
 */
function requestRoute(resets: PasswordResets): OpenRoute {
  return {
    ...accountRoute('POST', '/password-resets', {
      summary: 'Request a new password',
      description:
        'Sends a mail with a link and a code, valid for three hours, if there is such an account ' +
        'and it has an e-mail address. The answer is the same if there is none. ' +
        'After several mails none is sent while the link of the last one works. ' +
        '`Accept-Language` chooses the language of the mail.',
      body: { type: 'json', schema: describeFields(request) },
      success: requestAccepted,
      refuses: { 429: tooManyTries },
    }),
    async handle(sent) {
      const { login, device_secret: deviceSecret } = await readFields(request, sent)
      const wanted = { login, language: languageFor(sent), deviceSecret }
      return jsonAnswer(202, { request_id: await resets.request(wanted, addressOf(sent)) })
    },
  }
}

/** `POST /password-resets/confirm`: sets the new password. */
function confirmRoute(resets: PasswordResets, policy: PasswordPolicy): OpenRoute {
  const members = strictFields({ ...proofFields, new_password: newPasswordField(policy) })

  return {
    ...accountRoute('POST', '/password-resets/confirm', {
      summary: 'Set a new password',
      description:
        'Takes the token of the link, or the code with the id of the request. ' +
        'Ends every session of the user. A refused password uses up neither link nor code.',
      body: { type: 'json', schema: describeFields(members) },
      success: { status: 204, description: 'Changed' },
      refuses: proofRefuses,
    }),
    async handle(sent) {
      const fields = await readFields(members, sent)
      await resets.confirm(presentedOf(fields), fields.new_password, byStranger(sent))
      return emptyAnswer
    },
  }
}
