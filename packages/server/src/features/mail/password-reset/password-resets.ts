import { ProblemError } from 'keystile/internal'
import { refuseFaults } from '../../../http/json-body.ts'
import { findPasswordErrors } from '../../users/accounts/account-fields.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Directory } from '../../users/directory/directory.ts'
import { countedLogin, mailboxOf } from '../../users/directory/names.ts'
import type { Devices } from '../../sign-in/known-devices/devices.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf } from '../../operations/limits/uses.ts'
import type { Notices } from '../messages/notices.ts'
import type { FoundProof, MailProofs, Presented } from '../proofs/proofs.ts'
import type { Passwords } from '../../credentials/password/password.ts'
import type { PasswordOwner, PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import {
  confirmAddressRate,
  resetAccountRate,
  resetAddressRate,
  resetKnownServerRate,
  resetLoginRate,
  resetServerRate,
} from './feature.ts'
import type { PasswordStore } from './new-password.ts'
import { resetKind, type ResetRequest } from './purpose.ts'

/** Sets new passwords for users who have forgotten the old one. Endpoints and pages use it. */
export interface PasswordResets {
  /**
   * Stores a request. The mail is sent later. Does NOT look up the account: the work and the result
   * are the same if `login` belongs to no user.
   *
   * @param deviceSecret the device secret of the caller: requests of known devices have limits of
   *   their own
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

export type WantedReset = Pick<ResetRequest, 'login'> & {
  readonly language: string | undefined
  readonly deviceSecret: string | undefined
}

export interface PasswordResetParts<U> {
  readonly directory: Directory<U>
  readonly store: PasswordStore
  readonly proofs: MailProofs
  readonly passwords: Pick<Passwords, 'requireRoom' | 'hash'>
  readonly passwordPolicy: PasswordPolicy
  readonly limits: Limits
  readonly devices: Pick<Devices, 'open'>
  readonly notices: Notices
}

const maxLoginLength = 320

export function createPasswordResets<U>(parts: PasswordResetParts<U>): PasswordResets {
  const { proofs } = parts
  return {
    async request({ login: typed, language = '', deviceSecret = '' }, address) {
      const login = typed.slice(0, maxLoginLength)
      await countRequest({ login, deviceSecret, address }, parts)
      return proofs.request(resetKind, { login, language, deviceSecret }, countedLogin(login))
    },
    confirm: (presented, newPassword, by) => confirm({ presented, newPassword, by }, parts),
    isOpen: async (token) => (await findProved({ token }, parts)) !== undefined,
  }
}

/**
 * Counts a request against the limits of its IP address, of the server and of the typed name. If
 * the request has a valid device secret, it counts against the limit of the account in the secret
 * instead of the name, and against a limit of the server that strangers cannot use up. If one of
 * these is exhausted, the request counts like any other. The resolver checks later whose device it
 * is: a lookup here could reveal that the account exists.
 */
async function countRequest(
  {
    login,
    deviceSecret,
    address,
  }: Pick<ResetRequest, 'login' | 'deviceSecret'> & { readonly address: string | undefined },
  { limits, devices }: Pick<PasswordResetParts<unknown>, 'limits' | 'devices'>,
): Promise<void> {
  // A device may belong to any user, so its requests count for the address too.
  const ofAddress = limits.usesAt(resetAddressRate, address)
  const device = devices.open(deviceSecret)
  if (device) {
    const ofAccount = useOf(resetAccountRate, device.account)
    const uses = [ofAccount, useOf(resetKnownServerRate, ''), ...ofAddress]
    if (await limits.tryCount(uses)) return
  }

  const ofName = useOf(resetLoginRate, countedLogin(login))
  await limits.count([ofName, useOf(resetServerRate, ''), ...ofAddress])
}

interface Confirmation {
  readonly presented: Presented
  readonly newPassword: string
  readonly by: By
}

async function confirm<U>(
  { presented, newPassword, by }: Confirmation,
  parts: PasswordResetParts<U>,
): Promise<void> {
  const { store, passwords, passwordPolicy, limits, notices } = parts
  passwords.requireRoom(by.address)
  const spent = await limits.count(limits.usesAt(confirmAddressRate, by.address))

  const proved = await findProved(presented, parts)
  if (!proved) throw refused()

  const { proof, owner } = proved
  refuseFaults(findPasswordErrors('new_password', newPassword, owner, passwordPolicy))
  const hash = await passwords.hash(newPassword, by.address)

  const notice = notices('password_changed', by)
  if (!(await store.setPassword({ proof, hash, notice, by }))) throw refused()
  await limits.refund(spent)
}

/** Finds a proof, if its user is active and still has its mailbox. Does NOT spend the proof. */
async function findProved<U>(
  presented: Presented,
  { directory, proofs }: Pick<PasswordResetParts<U>, 'directory' | 'proofs'>,
): Promise<{ readonly proof: FoundProof; readonly owner: PasswordOwner } | undefined> {
  const proof = await proofs.find(resetKind, presented)
  const user = proof && (await directory.findActive(proof.subject))
  if (!proof || user === undefined) return undefined

  const owner = { username: directory.username(user), email: directory.email(user) }
  return mailboxOf(owner.email) === proof.mailbox ? { proof, owner } : undefined
}

/** The refusal of every confirmation without a valid proof. */
function refused(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The link or the code is wrong, was used before, or has expired; request a new one',
  )
}
