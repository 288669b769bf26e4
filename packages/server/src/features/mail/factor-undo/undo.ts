// The flow that undoes the first second factor of an account. Its link is in the mail about the
// factor. Without it, a thief with the password could lock the owner out.
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import { describeFields, readFields, strictFields, stringField } from '../../../http/json-body.ts'
import { emptyAnswer, type OpenRoute } from '../../../http/route.ts'
import { byStranger } from '../../operations/audit/audit.ts'
import type { By } from '../../operations/audit/entry.ts'
import { accountRoute, tooManyTries } from '../../users/accounts/route-parts.ts'
import {
  confirmCounted,
  findOwner,
  refusedProof,
  type FlowParts,
  type MailFlow,
} from '../flows/flow.ts'
import { preferredLanguage } from '../messages/language.ts'
import { resetKind } from '../password-reset/reset.ts'
import { prepareLinkMail, prepareProof, type ProofKind } from '../proofs/new-proof.ts'
import { firstFactorAdded } from '../proofs/purposes.ts'
import { undoRate } from './feature.ts'
import type { LinkedProof } from './in-transaction.ts'
import { undoFactor } from './store.ts'

const undoKind: ProofKind = {
  purpose: firstFactorAdded,
  page: 'undo-factor',
  lifetimeMilliseconds: 7 * 24 * 60 * minuteMilliseconds,
  hasCode: false,
}

/** What the endpoint and the page of the flow do, and the mail that begins it. */
export interface FactorUndo {
  /** Prepares the mail about the first factor. Its link undoes it. */
  prepare(by: By): LinkedProof
  /**
   * Removes all second factors, ends all sessions and disables the password. The user gets a mail
   * with a link to set a new password.
   *
   * @param token the token of a link from `prepare()`
   * @throws {ProblemError} `forbidden` (without the reason) or `too_many_requests`
   */
  undo(token: string, by: By): Promise<void>
  /** Whether the token of a link still works. Changes nothing. */
  isOpen(token: string): Promise<boolean>
}

export interface FactorUndoParts<U> extends FlowParts<U> {
  /** Where the undo links lead. The others lead to `pagesUrl`. */
  readonly ownPagesUrl: string
}

export function factorUndoFlow<U>(parts: FactorUndoParts<U>): MailFlow & FactorUndo {
  const { database, proofs, users, directory, limits, notices, clock } = parts

  function linkedProof(kind: ProofKind, pagesUrl: string, { acceptLanguage }: By): LinkedProof {
    const now = clock.now()
    const { row, token } = prepareProof(kind, '', now)
    const language = preferredLanguage(acceptLanguage)
    const values = { token, expiresAt: row.expires_at, language }
    return { row, mail: prepareLinkMail(kind, values, { seal: parts.seal(), pagesUrl, now }) }
  }

  const undo: FactorUndo = {
    prepare: (by) => linkedProof(undoKind, parts.ownPagesUrl, by),

    undo: (token, by) =>
      confirmCounted(limits, limits.usesAt(undoRate, by.address), async () => {
        const proof = await proofs.find(undoKind, { token })
        if (!proof) throw refusedProof(advice)

        // The caller does not get the request id, so the mail has no code.
        const reset = linkedProof({ ...resetKind, hasCode: false }, parts.pagesUrl, by)
        const notice = notices('factor_removed', by)
        const values = { proof, reset, notice, by, now: clock.now() }
        const { isUndone } = await database.write(undoFactor, values)
        if (!isUndone) throw refusedProof(advice)
        await users.settle()
      }),

    async isOpen(token) {
      const proof = await proofs.find(undoKind, { token })
      return (await findOwner(proof, directory)) !== undefined
    },
  }
  return { ...undo, routes: [undoRoute(undo)] }
}

const advice = 'request a new password, or contact the operator'

const undoing = strictFields({
  token: stringField().meta({ description: 'The token of the link' }),
})

/** `POST /factors/undo`: removes the second factors. */
function undoRoute({ undo }: FactorUndo): OpenRoute {
  return {
    ...accountRoute('POST', '/factors/undo'),
    doc: {
      tag: 'Own account',
      summary: 'Undo the first second factor',
      description:
        'Removes all second factors, ends every session and disables the password. The user gets ' +
        'a mail to set a new password.',
      body: { type: 'json', schema: describeFields(undoing) },
      success: { status: 204, description: 'Removed' },
      refuses: { 403: 'The link is wrong, was used before, or has expired', 429: tooManyTries },
    },
    async handle(request) {
      const { token } = await readFields(undoing, request)
      await undo(token, byStranger(request))
      return emptyAnswer
    },
  }
}
