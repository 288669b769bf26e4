// The flow that changes the e-mail address. A link or a code in a mail to the new address confirms
// the change, and the old address gets a mail whose link restores it: see `undo.ts`. What the flow
// does is in `change-types.ts`, and its endpoints are in `routes.ts`.
import { ProblemError } from 'keystile/internal'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import type { By } from '../../operations/audit/entry.ts'
import { provePassword } from '../../users/accounts/prove-password.ts'
import { tooManyMails } from '../../users/accounts/refusals.ts'
import type { User } from '../../users/accounts/user.ts'
import { mailboxOf, parseEmail } from '../../users/directory/names.ts'
import { confirmCounted } from '../flows/confirmation.ts'
import type { FlowParts, MailFlow } from '../flows/flow.ts'
import { proofKinds } from '../proofs/kinds.ts'
import type { Presented } from '../proofs/proofs.ts'
import type { ProofPurpose } from '../proofs/purpose.ts'
import type { EmailChangeParts, EmailChanges, Owner } from './change-types.ts'
import { emailRates } from './feature.ts'
import { asRefused, factorMissing, refusedChange } from './refusals.ts'
import { changeRoute, confirmRoute } from './routes.ts'
import { bindEmailChange, confirmEmailChange } from './store.ts'

export function emailChangeFlow(parts: EmailChangeParts): MailFlow & EmailChanges {
  const { database, proofs, users, undo, limits, clock, mustHaveFactor } = parts
  const changes: EmailChanges = {
    request(user, { shown: email }, language) {
      const subject = user.publicUser.id
      const wanted = { ...stateOf(user), subject, email, language }
      return proofs.request(proofKinds.emailChange, wanted, subject)
    },

    confirm(presented, owner, by) {
      const tried = { ...presented, by, isOpen: changes.isOpen }
      return confirmCounted(limits, emailRates.confirm, tried, async () => {
        const change = await findChange(presented, parts)
        if (!change || !(await isOwner(owner, change.user, by, parts))) throw refusedChange()

        const { proof, user, email, from } = change
        // The request may be older than this demand. The mailbox gets the code to set up a factor,
        // so the password alone must not move this mailbox.
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
      })
    },

    isOpen: async (token) => (await findChange({ token }, parts)) !== undefined,

    async addressOf(token, subject) {
      const change = await findChange({ token }, parts)
      return change?.user.publicUser.id === subject ? change.email.shown : undefined
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
function stateOf({ publicUser, passwordHash }: User) {
  return { from: mailboxOf(publicUser.email) ?? '', mark: passwordMark(passwordHash) }
}

/**
 * Finds a requested change: its proof, its user, the new address and the old one (`from`, or
 * empty). Undefined if the user is not active, or if the account has changed since the request.
 */
async function findChange(presented: Presented, { proofs, users }: EmailChangeParts) {
  const proof = await proofs.find(proofKinds.emailChange, presented)
  const user = proof && (await users.readBySubject(proof.subject))
  const email = parseEmail(proof?.data['email'] ?? '')
  if (!proof || !user?.active || !email) return undefined

  const { from, mark } = stateOf(user)
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
