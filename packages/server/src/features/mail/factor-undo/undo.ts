// The flow that undoes the first second factor of an account. Its link is in the mail about the
// factor. Without it, a thief with the password could lock the owner out.
import type { By } from '../../operations/audit/entry.ts'
import { confirmCounted, findOwner, refusedProof } from '../flows/confirmation.ts'
import type { FlowParts, MailFlow } from '../flows/flow.ts'
import { undoRoute } from '../flows/undo-route.ts'
import { preferredLanguage } from '../messages/language.ts'
import { proofKinds, type ProofKind } from '../proofs/kinds.ts'
import { prepareLinked, type LinkedProof } from '../proofs/new-proof.ts'
import { sealData } from '../proofs/sealed-values.ts'
import { undoRate } from './feature.ts'
import { hasSecondFactor, undoFactor } from './store.ts'

/** What the endpoint and the page of the flow do, and the mail that begins it. */
export interface FactorUndo {
  /**
   * Prepares the mail about the first factor. Its link undoes it.
   *
   * @param recipient where the mail goes. If the account gets another mailbox, the link does not
   *   work any more, also if the two addresses differ only in their case
   */
  prepare(by: By, recipient: string | undefined): LinkedProof
  /**
   * Removes all second factors, ends all sessions and disables the password. The user gets a mail
   * with a link to set a new password. While the account has no factor, the link does not work: it
   * would only disable the password of an owner who has removed the factor.
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

  function linked(kind: ProofKind, pagesUrl: string, { acceptLanguage }: By): LinkedProof {
    return prepareLinked(kind, preferredLanguage(acceptLanguage), { ...parts, pagesUrl })
  }

  const undo: FactorUndo = {
    prepare(by, recipient) {
      const { row, mail } = linked(proofKinds.factorUndo, parts.ownPagesUrl, by)
      const data = recipient === undefined ? {} : { recipient }
      return { row: { ...row, sealed: sealData(parts.seal(), row, data) }, mail }
    },

    undo: (token, by) =>
      confirmCounted(limits, undoRate, { token, by, isOpen: undo.isOpen }, async () => {
        const proof = await proofs.find(proofKinds.factorUndo, { token })
        if (!proof) throw refusedProof(advice)

        const reset = linked(proofKinds.passwordReset, parts.pagesUrl, by)
        const notice = notices('factor_removed', by)
        const { recipient } = proof.data
        const values = { proof: { ...proof, recipient }, reset, notice, by, now: clock.now() }
        const { isUndone } = await database.write(undoFactor, values)
        if (!isUndone) throw refusedProof(advice)
        await users.settle()
      }),

    async isOpen(token) {
      const proof = await proofs.find(proofKinds.factorUndo, { token })
      if (!proof || (await findOwner(proof, directory)) === undefined) return false
      return hasSecondFactor(database.reader, proof.subject)
    },
  }
  const route = undoRoute('/factors/undo', undo, {
    summary: 'Remove the first authenticator app of an account',
    does: 'Removes all second factors, ends every session and disables the password.',
  })
  return { ...undo, routes: [route] }
}

const advice =
  'if a mail says that the address of the account was changed, open the link in that mail; ' +
  'if the account has no second factor, set a new password; otherwise contact the operator'
