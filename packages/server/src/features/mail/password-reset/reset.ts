// The flow for users who have forgotten their password: they set a new one with a link or a code
// from a mail. What the flow does is in `reset-types.ts`, and its endpoints are in `routes.ts`.
// `new-password.ts` stores the new password.
import { randomId } from 'keystile/internal'
import { refuseFaults } from '../../../http/json-body.ts'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf } from '../../operations/limits/uses.ts'
import { findPasswordErrors } from '../../users/accounts/account-fields.ts'
import { countedLogin } from '../../users/directory/counted-login.ts'
import { mailboxOf } from '../../users/directory/names.ts'
import { confirmCounted, findOwner, refusedProof } from '../flows/confirmation.ts'
import type { FlowParts, MailFlow } from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { resetRates } from './feature.ts'
import type { PasswordStore } from './new-password.ts'
import type { PasswordResets } from './reset-types.ts'
import { confirmRoute, requestRoute } from './routes.ts'

/** No user name and no e-mail address is longer, in characters. */
const maxLoginLength = 320

export interface PasswordResetParts<U> extends FlowParts<U> {
  readonly passwordStore: PasswordStore
}

export function passwordResetFlow<U>(
  parts: PasswordResetParts<U>,
): MailFlow<unknown> & PasswordResets {
  const { directory, passwordStore, proofs, passwords, passwordPolicy, limits, notices } = parts
  const resets: PasswordResets = {
    async request({ login: typed, language, deviceSecret = '' }, address) {
      const device = parts.devices.open(deviceSecret)
      await countRequest(device?.account, address, limits)

      // The request is stored, so a stranger must not choose how long it is.
      const login = typed.slice(0, maxLoginLength)
      const wanted = { login, language, deviceSecret: device ? deviceSecret : '' }
      return proofs.request(proofKinds.passwordReset, wanted, countedLogin(login))
    },

    async confirm(presented, newPassword, by) {
      passwords.requireRoom(by.address)
      const tried = { ...presented, by, isOpen: resets.isOpen }
      return confirmCounted(limits, resetRates.confirm, tried, async () => {
        const proof = await proofs.find(proofKinds.passwordReset, presented)
        const user = await findOwner(proof, directory)
        if (!proof || user === undefined) throw refusedProof()

        const owner = { username: directory.username(user), email: directory.email(user) }
        refuseFaults(findPasswordErrors('new_password', newPassword, owner, passwordPolicy))
        const hash = await passwords.hash(newPassword, by.address)

        const notice = notices('password_changed', by)
        if (!(await passwordStore.setPassword({ proof, hash, notice, by }))) throw refusedProof()

        // The device knows the password, as after a login, but has sent no code of an app.
        return parts.devices.make({
          subject: directory.subject(user),
          passwordMark: passwordMark(hash),
          sessionId: randomId(),
        })
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
function createPurpose<U>({
  directory,
  passwordStore,
  devices,
}: PasswordResetParts<U>): ProofPurpose {
  return {
    ...proofKinds.passwordReset,
    bind: passwordStore.bind,
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
