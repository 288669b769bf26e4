// The flow that undoes a change of the e-mail address. Its link is in the mail to the old address.
// Unlike the links of other flows, it is stored with the former address, and has no code.
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { By } from '../../operations/audit/entry.ts'
import { confirmCounted } from '../flows/confirmation.ts'
import type { FlowParts, MailFlow } from '../flows/flow.ts'
import { undoRoute } from '../flows/undo-route.ts'
import { preferredLanguage } from '../messages/language.ts'
import type { NewMail } from '../outbox/new-mail.ts'
import { expiryOf, proofKinds } from '../proofs/kinds.ts'
import { prepareLinked, prepareLinkMail } from '../proofs/new-proof.ts'
import { emailRates } from './feature.ts'
import { asRefused, refusedChange } from './refusals.ts'
import { findFormerEmail, undoEmailChange, type NewUndo } from './store.ts'

/** What the endpoint and the page of the flow do, and the mail that begins it. */
export interface EmailUndo {
  /** Prepares the mail to the old mailbox. Its link restores the old address. */
  prepare(by: By): NewUndo
  /**
   * Restores the old address, cancels later changes of the address, ends all sessions and disables
   * the password. The user gets a mail with a link to set a new password.
   *
   * @param token the token of a link from `prepare()`
   * @throws {ProblemError} `forbidden` (without the reason) or `too_many_requests`
   */
  undo(token: string, by: By): Promise<void>
  /** Whether the token of a link can still restore an old address. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

export function undoFlow(parts: FlowParts): MailFlow & EmailUndo {
  const { database, users, limits, notices, clock } = parts

  const noticeFor = ({ acceptLanguage }: By): NewMail | undefined =>
    notices('email_removed', { acceptLanguage })

  const undo: EmailUndo = {
    prepare(by) {
      const [token, expiresAt] = [makeSecret(), expiryOf(proofKinds.emailUndo, clock.now())]
      const link = { token, expiresAt, language: preferredLanguage(by.acceptLanguage) }
      const mail = prepareLinkMail(proofKinds.emailUndo, link, parts)
      return { tokenHash: hashSecret(token), expiresAt, mail, notice: noticeFor(by) }
    },

    undo: (token, by) =>
      confirmCounted(limits, emailRates.confirm, { token, by, isOpen: undo.isOpen }, async () => {
        const language = preferredLanguage(by.acceptLanguage)
        const reset = prepareLinked(proofKinds.passwordReset, language, parts)
        const [tokenHash, now] = [hashSecret(token), clock.now()]
        const values = { tokenHash, reset, notice: noticeFor(by), by, now }
        const { subject } = await database.write(undoEmailChange, values).catch(asRefused)
        if (subject === undefined) throw refusedChange()
        await users.settle()
      }),

    async isOpen(token) {
      const wanted = { tokenHash: hashSecret(token), now: clock.now() }
      return (await findFormerEmail(database.reader, wanted)) !== undefined
    },
  }
  const route = undoRoute('/email-changes/undo', undo, {
    summary: 'Undo a change of the e-mail address',
    does:
      'Restores the old address, cancels later changes, ends every session and disables the ' +
      'password.',
  })
  return { ...undo, routes: [route] }
}
