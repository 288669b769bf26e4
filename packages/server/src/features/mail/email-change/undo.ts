// The flow that undoes a change of the e-mail address. Its link is in the mail to the old address.
// Unlike the links of other flows, it is stored with the former address, and has no code.
import { ProblemError } from 'keystile/internal'
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import { describeFields, readFields, strictFields, stringField } from '../../../http/json-body.ts'
import { emptyAnswer, type OpenRoute } from '../../../http/route.ts'
import { isTakenAtTheSameTime } from '../../../storage/database.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/route-parts.ts'
import { byStranger } from '../../operations/audit/audit.ts'
import type { By } from '../../operations/audit/entry.ts'
import { confirmCounted, type FlowParts, type MailFlow } from '../flows/flow.ts'
import { preferredLanguage } from '../messages/language.ts'
import { resetKind } from '../password-reset/reset.ts'
import { prepareLinkMail, prepareProof } from '../proofs/new-proof.ts'
import { emailRates } from './feature.ts'
import { findFormerEmail, undoEmailChange, type NewUndo } from './store.ts'

const undoKind = { purpose: 'email_changed', page: 'undo-email-change' }

/** The lifetime of the link that restores the old address. */
const undoMilliseconds = 7 * 24 * 60 * minuteMilliseconds

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
  const { database, users, limits, notices, pagesUrl, clock } = parts

  /** Returns the mail with a link, and the notice, in the language of the request. */
  function mailsOf(
    kind: typeof undoKind,
    link: { readonly token: string; readonly expiresAt: number },
    { acceptLanguage }: By,
  ): Pick<NewUndo, 'mail' | 'notice'> {
    const values = { ...link, language: preferredLanguage(acceptLanguage) }
    const mailParts = { seal: parts.seal(), pagesUrl, now: clock.now() }
    const mail = prepareLinkMail(kind, values, mailParts)
    return { mail, notice: notices('email_removed', { acceptLanguage }) }
  }

  const undo: EmailUndo = {
    prepare(by) {
      const [token, expiresAt] = [makeSecret(), clock.now() + undoMilliseconds]
      const tokenHash = hashSecret(token)
      return { tokenHash, expiresAt, ...mailsOf(undoKind, { token, expiresAt }, by) }
    },

    undo: (token, by) =>
      confirmCounted(limits, limits.usesAt(emailRates.confirm, by.address), async () => {
        const now = clock.now()
        // The caller does not get the request id, so the mail has no code.
        const proof = prepareProof({ ...resetKind, hasCode: false }, '', now)
        const link = { token: proof.token, expiresAt: proof.row.expires_at }
        const { mail, notice } = mailsOf(resetKind, link, by)
        const reset = { row: proof.row, mail }
        const values = { tokenHash: hashSecret(token), reset, notice, by, now }
        const { subject } = await database.write(undoEmailChange, values).catch(asRefused)
        if (subject === undefined) throw refusedChange()
        await users.settle()
      }),

    async isOpen(token) {
      const wanted = { tokenHash: hashSecret(token), now: clock.now() }
      return (await findFormerEmail(database.reader, wanted)) !== undefined
    },
  }
  return { ...undo, routes: [undoRoute(undo)] }
}

/**
 * Throws a refusal if another transaction has set the same address at the same time. Rethrows every
 * other error.
 */
export function asRefused(error: unknown): never {
  throw isTakenAtTheSameTime(error) ? refusedChange() : error
}

/** The error for each confirmation and each undo link that does not work. It does not say why. */
export function refusedChange(): ProblemError {
  return new ProblemError(
    'forbidden',
    'The link, the code or the password is wrong, or the link was used before or has expired',
  )
}

const undoing = strictFields({
  token: stringField().meta({ description: 'The token of the link' }),
})

/** `POST /email-changes/undo`: restores the old address. */
function undoRoute({ undo }: EmailUndo): OpenRoute {
  return {
    ...accountRoute('POST', '/email-changes/undo'),
    doc: {
      tag: 'Own account',
      summary: 'Undo a change of the e-mail address',
      description:
        'Restores the old address, cancels later changes, ends every session and disables the ' +
        'password. The user gets a mail to set a new password.',
      body: { type: 'json', schema: describeFields(undoing) },
      success: { status: 204, description: 'Restored' },
      refuses: { 403: 'The link is wrong, was used before, or has expired', 429: tooManyTries },
    },
    async handle(request) {
      const { token } = await readFields(undoing, request)
      await undo(token, byStranger(request))
      return emptyAnswer
    },
  }
}
