import { ProblemError, type Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import { isTakenAtTheSameTime, type Database } from '../../../storage/database.ts'
import type { NewUndo } from '../../users/accounts/new-undo.ts'
import { provePassword, type ProofParts } from '../../users/accounts/own-credentials.ts'
import { tooManyMails } from '../../users/accounts/route-parts.ts'
import type { User, Users } from '../../users/accounts/users.ts'
import type { By } from '../../operations/audit/entry.ts'
import { parseEmail, type ComparableName } from '../../users/directory/names.ts'
import { prepareProof } from '../proofs/new-proof.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { Language } from '../messages/message.ts'
import type { Notices } from '../messages/notices.ts'
import type { FoundProof, MailProofs, Presented } from '../proofs/proofs.ts'
import { prepareMail } from '../outbox/new-mail.ts'
import { resetKind, resetLink } from '../password-reset/purpose.ts'
import { confirmEmailRate } from './feature.ts'
import { changedAccountOf, emailChangeKind, type EmailChangeRequest } from './purpose.ts'
import { canUndo, confirmEmailChange, undoEmailChange } from './store.ts'

/** Changes e-mail addresses after a confirmation by mail. Endpoints and pages use it. */
export interface EmailChanges {
  /**
   * Stores a user's request to change to the address `email`. The mail to this address is sent
   * after the answer. Does NOT look up whether another user has the address.
   *
   * @param user the user, whose password was verified
   * @param language one of the languages of mails, or empty for the language of the settings
   * @returns the id of the request, which the user needs for the code
   */
  request(user: User, email: ComparableName, language: string): Promise<string>
  /**
   * Sets the user's address to the address that the mail was sent to, and marks it as verified. The
   * link or code alone is not enough to confirm: if the user mistypes the address, a stranger gets
   * the mail.
   *
   * @throws {ProblemError} `forbidden` (without the reason) if the change is not allowed, for
   *   example because the code has expired or the password is wrong; `too_many_requests`,
   *   `temporarily_unavailable`
   */
  confirm(presented: Presented, owner: Owner, by: By): Promise<void>
  /** Prepares the mail to the old mailbox. Its link restores the old address. */
  prepareUndo(by: By): NewUndo
  /**
   * Restores the old address, cancels later changes of the address, ends all sessions and disables
   * the password. The user gets a mail with a link to set a new password.
   *
   * @param token the token of a link from `prepareUndo()`
   *
   * @throws {ProblemError} `forbidden` (without the reason) or `too_many_requests`
   */
  undo(token: string, by: By): Promise<void>
  /** Whether the token of a link can still confirm a change. Changes nothing. */
  isOpen(token: string): Promise<boolean>
  /** Whether the token of a link can still restore an old address. Changes nothing. */
  canUndo(token: string): Promise<boolean>
}

/**
 * What a person sends, besides the link or the code, to prove that they own the account: an access
 * token or the password.
 */
export interface Owner {
  /** The subject of the access token in the request; undefined if the request has no token. */
  readonly subject: string | undefined
  readonly password: string | undefined
}

export interface EmailChangeParts extends ProofParts {
  readonly database: Pick<Database, 'reader' | 'write'>
  readonly proofs: MailProofs
  readonly users: Pick<Users, 'readBySubject' | 'settle'>
  readonly notices: Notices
  readonly seal: () => Seal
  /** Where the links in mails lead. */
  readonly pagesUrl: string
  readonly clock: Clock
}

/** The lifetime of the link that restores the old address. */
const undoMilliseconds = 7 * 24 * 60 * minuteMilliseconds

export function createEmailChanges(parts: EmailChangeParts): EmailChanges {
  const { proofs } = parts
  return {
    request(user, { shown: email }, language) {
      const subject = user.publicUser.id
      const wanted: EmailChangeRequest = { ...changedAccountOf(user), subject, email, language }
      return proofs.request(emailChangeKind, wanted, subject)
    },
    confirm: (presented, owner, by) => confirm({ presented, owner, by }, parts),
    prepareUndo: (by) => prepareUndo(by, parts),
    undo: (token, by) => undo({ token, by }, parts),
    isOpen: async (token) => (await findProved({ token }, parts)) !== undefined,
    canUndo: (token) =>
      canUndo(parts.database.reader, { tokenHash: hashSecret(token), now: parts.clock.now() }),
  }
}

interface Confirmation {
  readonly presented: Presented
  readonly owner: Owner
  readonly by: By
}

async function confirm(
  { presented, owner, by }: Confirmation,
  parts: EmailChangeParts,
): Promise<void> {
  const { database, users, limits, clock } = parts
  const spent = await limits.count(limits.usesAt(confirmEmailRate, by.address))

  const proved = await findProved(presented, parts)
  if (!proved || !(await isOwner(owner, { user: proved.user, by }, parts))) throw refused()

  const { proof, user, email, from } = proved
  const change = {
    proof,
    email,
    passwordHash: user.passwordHash,
    from: from === '' ? null : from,
    undo: prepareUndo(by, parts),
    by,
    now: clock.now(),
  }
  const { outcome } = await database.write(confirmEmailChange, change).catch(asRefused)
  if (outcome === 'refused') throw refused()
  if (outcome === 'too-many-mails') throw tooManyMails()
  await users.settle()
  await limits.refund(spent)
}

/** Finds a proof, if its user is active and the account has not changed since the request. */
async function findProved(
  presented: Presented,
  { proofs, users }: EmailChangeParts,
): Promise<
  | {
      readonly proof: FoundProof
      readonly user: User
      /** The new address. */
      readonly email: ComparableName
      /** The old address, or empty. */
      readonly from: string
    }
  | undefined
> {
  const proof = await proofs.find(emailChangeKind, presented)
  const user = proof && (await users.readBySubject(proof.subject))
  const email = parseEmail(proof?.data['email'] ?? '')
  if (!proof || !user?.active || !email) return undefined

  const { from, mark } = changedAccountOf(user)
  const isSame = proof.data['from'] === from && proof.data['mark'] === mark
  return isSame ? { proof, user, email, from } : undefined
}

/** Whether a request comes from the user: it has a token of the user, or the user's password. */
async function isOwner(
  { subject, password }: Owner,
  { user, by }: { readonly user: User; readonly by: By },
  parts: ProofParts,
): Promise<boolean> {
  if (subject !== undefined) return subject === user.publicUser.id
  if (password === undefined) return false
  try {
    await provePassword(password, { user, by }, parts)
    return true
  } catch (error) {
    if (error instanceof ProblemError && error.status === 403) return false
    throw error
  }
}

function prepareUndo(by: By, { seal, pagesUrl, notices, clock }: EmailChangeParts): NewUndo {
  const [token, now] = [makeSecret(), clock.now()]
  const expiresAt = now + undoMilliseconds
  const link = `${pagesUrl}/undo-email-change?token=${token}`
  const expires_at = new Date(expiresAt).toISOString()
  const parameters = { link, expires_at, ...languageOf(by) }
  const kind = { template: 'email_changed', lifetimeMilliseconds: undoMilliseconds }
  const mail = prepareMail(kind, { parameters, seal: seal() }, now)
  const notice = notices('email_removed', { acceptLanguage: by.acceptLanguage })
  return { tokenHash: hashSecret(token), expiresAt, mail, notice }
}

function languageOf({ acceptLanguage }: By): { readonly language?: Language } {
  const language = preferredLanguage(acceptLanguage)
  return language === undefined ? {} : { language }
}

async function undo(
  { token, by }: { readonly token: string; readonly by: By },
  { database, users, limits, seal, pagesUrl, notices, clock }: EmailChangeParts,
): Promise<void> {
  const spent = await limits.count(limits.usesAt(confirmEmailRate, by.address))
  const now = clock.now()
  // The caller does not get the request id, so the mail has no code.
  const proof = prepareProof({ ...resetKind, hasCode: false }, '', now)
  const parameters = {
    link: resetLink(pagesUrl, proof.token),
    expires_at: new Date(proof.row.expires_at).toISOString(),
    ...languageOf(by),
  }
  const kind = { template: resetKind.purpose, lifetimeMilliseconds: resetKind.lifetimeMilliseconds }
  const mail = prepareMail(kind, { parameters, seal: seal() }, now)

  const reset = { row: proof.row, mail }
  const notice = notices('email_removed', { acceptLanguage: by.acceptLanguage })
  const values = { tokenHash: hashSecret(token), reset, notice, by, now }
  const { subject } = await database.write(undoEmailChange, values).catch(asRefused)
  if (subject === undefined) throw refused()
  await users.settle()
  await limits.refund(spent)
}

/**
 * Throws a refusal if another transaction has set the same address at the same time. Rethrows every
 * other error.
 */
function asRefused(error: unknown): never {
  throw isTakenAtTheSameTime(error) ? refused() : error
}

/** The error for each confirmation and each undo link that does not work. It does not say why. */
function refused(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The link, the code or the password is wrong, or the link was used before or has expired',
  )
}
