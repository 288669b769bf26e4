// The pages whose link undoes a change that the owner of the account did not make. Each also
// disables the password.
import type { EmailUndo } from '../../mail/email-change/undo.ts'
import type { FactorUndo } from '../../mail/factor-undo/undo.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { refusedFault } from './faults.ts'
import { refusals, type LinkPage } from './link-page.ts'

type Undo = Pick<EmailUndo | FactorUndo, 'undo' | 'isOpen'>

/** The page that restores the old e-mail address. */
export function emailUndoPage(undo: Undo): LinkPage {
  return {
    ...undoPage(undo),
    name: 'undo-email-change',
    summary: 'Restore the old e-mail address',
    texts: ({ texts }) => texts.undo,
    end: 'password',
  }
}

/** The page that removes the second factors. */
export function factorUndoPage(undo: Undo, end: LinkPage['end']): LinkPage {
  return {
    ...undoPage(undo),
    name: 'undo-factor',
    summary: 'Remove the second factors',
    texts: ({ texts }) => texts.undoFactor,
    end,
  }
}

function undoPage({ undo, isOpen }: Undo): Omit<LinkPage, 'name' | 'summary' | 'texts' | 'end'> {
  return {
    refuses: { ...refusals.ofLink, ...refusals.ofField },
    fieldNames: [],
    fields: () => [],
    isOpen,
    async submit(form, request) {
      await undo(form.get('token') ?? '', byStranger(request))
    },
    faultOf: refusedFault,
  }
}
