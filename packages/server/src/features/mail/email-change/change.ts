// The flow that changes the e-mail address. A link or a code in a mail to the new address confirms
// the change, and the old address gets a mail whose link restores it: see `undo.ts`.
import { ProblemError } from 'keystile/internal'
import { describeFields, readFields, strictFields } from '../../../http/json-body.ts'
import {
  emptyAnswer,
  jsonAnswer,
  type GuardedRoute,
  type OptionalRoute,
  type RouteDoc,
} from '../../../http/route.ts'
import { currentPasswordField, emailField } from '../../users/accounts/account-fields.ts'
import { provePassword } from '../../users/accounts/prove-password.ts'
import { outdated, taken, tooManyMails } from '../../users/accounts/refusals.ts'
import {
  ownAccount,
  tooManyTries,
  type AccountCaller,
  type AccountParts,
} from '../../users/accounts/route-parts.ts'
import type { User } from '../../users/accounts/users.ts'
import { byCaller, byStranger } from '../../operations/audit/by.ts'
import type { By } from '../../operations/audit/entry.ts'
import {
  isSameMailbox,
  mailboxOf,
  parseEmail,
  type ComparableName,
} from '../../users/directory/names.ts'
import { useOf, type Spent } from '../../operations/limits/uses.ts'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import {
  confirmCounted,
  languageFor,
  presentedOf,
  proofFields,
  requestAccepted,
  type FlowParts,
  type MailFlow,
} from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { Presented } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import { emailRates } from './feature.ts'
import { bindEmailChange, confirmEmailChange } from './store.ts'
import { asRefused, refusedChange, type EmailUndo } from './undo.ts'

/** What the endpoints and the page of the flow do. */
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
   *   example because the code has expired or the password is wrong; `forbidden` with the reason
   *   `factor_missing` if the owner has a second factor and has not proved it; `too_many_requests`,
   *   `temporarily_unavailable`
   */
  confirm(presented: Presented, owner: Owner, by: By): Promise<void>
  /** Whether the token of a link can still confirm a change. Changes nothing. */
  isOpen(token: string): Promise<boolean>
  /** Returns the new address that the token of a link of this user confirms. Changes nothing. */
  addressOf(token: string, subject: string): Promise<string | undefined>
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

export interface EmailChangeParts extends FlowParts {
  readonly undo: EmailUndo
  /**
   * Whether each new address must be confirmed by a mail. If false, only an address that replaces a
   * verified address, or that of an account with a factor: see `changeRoute()`.
   */
  readonly verifiesAddresses: boolean
  mustHaveFactor(user: User): boolean
}

export function emailChangeFlow(parts: EmailChangeParts): MailFlow & EmailChanges {
  const { database, proofs, users, undo, limits, clock, mustHaveFactor } = parts
  const changes: EmailChanges = {
    request(user, { shown: email }, language) {
      const subject = user.publicUser.id
      const wanted = { ...changedAccountOf(user), subject, email, language }
      return proofs.request(proofKinds.emailChange, wanted, subject)
    },

    confirm: (presented, owner, by) =>
      confirmCounted(limits, emailRates.confirm, by, async () => {
        const proved = await findProved(presented, parts)
        if (!proved || !(await isOwner(owner, proved.user, by, parts))) throw refusedChange()

        const { proof, user, email, from } = proved
        // Otherwise a request from before this demand would move the mailbox that gets the code.
        if (by.acr !== 'mfa' && mustHaveFactor(user)) throw factorMissing()
        const { outcome } = await database
          .write(confirmEmailChange, {
            proof,
            email,
            passwordHash: user.passwordHash,
            from: from === '' ? null : from,
            undo: undo.prepare(by),
            by,
            now: clock.now(),
          })
          .catch(asRefused)
        if (outcome === 'refused') throw refusedChange()
        if (outcome === 'factor-missing') throw factorMissing()
        if (outcome === 'too-many-mails') throw tooManyMails()
        await users.settle()
      }),

    isOpen: async (token) => (await findProved({ token }, parts)) !== undefined,

    async addressOf(token, subject) {
      const proved = await findProved({ token }, parts)
      return proved?.user.publicUser.id === subject ? proved.email.shown : undefined
    },
  }
  const routes = [changeRoute(parts, { ...parts, changes }), confirmRoute(changes)]
  return { ...changes, purpose: createPurpose(parts), routes }
}

/**
 * If another user has the new address, the mail goes to that user instead. This mail says that the
 * address is taken, and has no link and no code. In both cases, wrong codes are counted, and older
 * requests are evicted. So the user who asked cannot find out whether the address is taken.
 */
function createPurpose({ users }: EmailChangeParts): ProofPurpose {
  return {
    ...proofKinds.emailChange,
    bind: bindEmailChange,
    async resolve({ subject = '', email: typed = '', from = '', mark = '' }) {
      const user = await users.readBySubject(subject)
      const email = parseEmail(typed)
      if (!user?.active || !email) return undefined

      const data = { email: email.shown, from, mark }
      const bound = { subject, mailbox: email.key, recipient: email.shown, data }
      if (!(await users.isTaken(email, subject))) return bound

      const holder = await users.findByLogin(email.shown)
      const recipient = holder?.publicUser.email ?? email.shown
      return { ...bound, recipient, notice: { template: 'email_taken', parameters: {} } }
    },
  }
}

/**
 * Returns what must stay as it is until the confirmation: the old address in the form in which
 * mailboxes are compared, or empty, and the mark of the password. A new password has a new mark.
 */
function changedAccountOf({ publicUser, passwordHash }: User) {
  return { from: mailboxOf(publicUser.email) ?? '', mark: passwordMark(passwordHash) }
}

/**
 * Finds a proof, its user, the new address and the old one (`from`, or empty), if the user is
 * active and the account has not changed since the request.
 */
async function findProved(presented: Presented, { proofs, users }: EmailChangeParts) {
  const proof = await proofs.find(proofKinds.emailChange, presented)
  const user = proof && (await users.readBySubject(proof.subject))
  const email = parseEmail(proof?.data['email'] ?? '')
  if (!proof || !user?.active || !email) return undefined

  const { from, mark } = changedAccountOf(user)
  const isSame = proof.data['from'] === from && proof.data['mark'] === mark
  return isSame ? { proof, user, email, from } : undefined
}

/** Whether a request comes from the user: it has a token of the user, or the user's password. */
async function isOwner(owner: Owner, user: User, by: By, parts: FlowParts): Promise<boolean> {
  if (owner.subject !== undefined) return owner.subject === user.publicUser.id
  if (owner.password === undefined) return false
  try {
    await provePassword(owner.password, { user, by }, parts)
    return true
  } catch (error) {
    if (error instanceof ProblemError && error.status === 403) return false
    throw error
  }
}

/** The error for an owner whose account needs a second factor that the request does not prove. */
function factorMissing(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The account needs a second factor: send an access token of a login with it',
    { reason: 'factor_missing' },
  )
}

const emailChange = strictFields({ current_password: currentPasswordField, new_email: emailField })

interface ChangeMails extends Pick<EmailChangeParts, 'undo' | 'verifiesAddresses'> {
  readonly changes: Pick<EmailChanges, 'request'>
}

/**
 * `POST /users/me/email`: changes the e-mail address. If Keystile sends mails and addresses must be
 * verified, sends a link and a code to the new address instead. It does so too if the old address
 * is verified. Otherwise an attacker could set another person's address in the attacker's own
 * account, and wait until this person uses the account. The link in the mail to the old address
 * would later give the account back to the attacker.
 *
 * @param mails undefined if Keystile sends no mails. Then the old address cannot be restored
 */
export function changeRoute(parts: AccountParts, mails?: ChangeMails): GuardedRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/users/me/email', {
      summary: 'Change the e-mail address',
      body: { type: 'json', schema: describeFields(emailChange) },
      ...describeChange(mails),
    }),
    needsFactor: true,
    async handle(request, { identity, user }) {
      const { current_password, new_email: email } = await readFields(emailChange, request)
      const by = byCaller(request, identity)
      const { authenticatedAt: loggedInAt } = identity
      await provePassword(current_password, { user, by, loggedInAt }, parts)

      const ofMail = [
        useOf(emailRates.server, ''),
        ...parts.limits.usesAt(emailRates.address, by.address),
      ]
      const spent = await parts.limits.count([
        useOf(emailRates.user, user.publicUser.id),
        ...(mails ? ofMail : []),
      ])
      const { email: old, emailVerified } = user.publicUser
      // A reset by a mailbox that was never confirmed would remove the factor.
      const isProtected = emailVerified || identity.acr === 'mfa'
      const needsProof = isProtected && !isSameMailbox(old, email.shown)
      if (mails && (mails.verifiesAddresses || needsProof)) {
        const requestId = await mails.changes.request(user, email, languageFor(request))
        return jsonAnswer(202, { request_id: requestId })
      }

      const outcome = await parts.users.changeEmail(user, email, by, mails?.undo.prepare(by))
      if (outcome !== 'changed') await parts.limits.refund(serverUseOf(spent))
      if (outcome === 'taken') throw taken('email', 'new_email')
      if (outcome === 'outdated') throw outdated()
      if (outcome === 'too-many-mails') throw tooManyMails()
      return emptyAnswer
    },
  }
}

function describeChange(
  mails: ChangeMails | undefined,
): Pick<RouteDoc, 'description' | 'success' | 'otherSuccess' | 'refuses'> {
  const refuses = {
    403: 'The current password is wrong, or the token was issued to another client',
    429: tooManyTries,
  }
  if (mails?.verifiesAddresses)
    return {
      description:
        'Sends a mail with a link and a code to the new address, valid for 24 hours. The address ' +
        'changes when the user confirms it. The answer is the same if another user has the ' +
        'address. ' +
        '`Accept-Language` chooses the language of the mail.',
      success: requestAccepted,
      refuses,
    }

  return {
    description:
      'The new address is not verified. Sessions stay valid.' +
      (mails
        ? ' The old address gets a mail with a link that restores it. If the old address is ' +
          'verified, or the account has a second factor, the address does not change yet: the ' +
          'new one gets a mail with a link and a code, valid for 24 hours. `Accept-Language` ' +
          'chooses the language of this mail.'
        : ''),
    success: { status: 204, description: 'Changed' },
    ...(mails && { otherSuccess: requestAccepted }),
    refuses: {
      ...refuses,
      409: 'The email is taken, or the password was changed at the same time',
    },
  }
}

const confirmation = strictFields({
  ...proofFields,
  password: currentPasswordField
    .meta({ description: 'The password of the account, if the request has no access token' })
    .optional(),
})

/** `POST /email-changes/confirm`: sets the new address. */
function confirmRoute(changes: EmailChanges): OptionalRoute<AccountCaller> {
  return {
    ...ownAccount('POST', '/email-changes/confirm', {
      summary: 'Confirm the new e-mail address',
      description:
        'Takes the token of the link, or the code with the id of the request. Needs an access ' +
        'token of the user, or the password. If the account needs a second factor, it needs the ' +
        'token of a login with it. The old address gets a mail with a link that ' +
        'restores it within 7 days.',
      body: { type: 'json', schema: describeFields(confirmation) },
      success: { status: 204, description: 'Changed and verified' },
      refuses: {
        403:
          'The link, the code, the token or the password is wrong, or the link was used before ' +
          'or has expired. Or the account needs a second factor, and the request does not prove it',
        429: tooManyTries,
      },
    }),
    isOptional: true,
    async handle(request, caller) {
      const fields = await readFields(confirmation, request)
      const owner = { subject: caller?.identity.subject, password: fields.password }
      const by = caller ? byCaller(request, caller.identity) : byStranger(request)
      await changes.confirm(presentedOf(fields), owner, by)
      return emptyAnswer
    },
  }
}

/** Returns the use that all callers share. A change that causes no mail must not use it up. */
function serverUseOf({ uses, at }: Spent): Spent {
  return { uses: uses.filter(({ rate }) => rate === emailRates.server), at }
}
