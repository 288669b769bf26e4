// The pages whose link undoes a change that the owner of the account did not make.
import type { EmailUndo } from '../../mail/email-change/undo.ts'
import type { FactorUndo } from '../../mail/factor-undo/undo.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { refusedFault } from './faults.ts'
import { refusals, type LinkPage } from './link-page.ts'

const described = {
  undo: { name: 'undo-email-change', summary: 'Restore the old e-mail address' },
  undoFactor: { name: 'undo-factor', summary: 'Remove the second factors' },
}

/**
 * The page that restores the old e-mail address, or removes the second factors (`undoFactor`). It
 * also disables the password.
 */
export function undoPage(
  kind: 'undo' | 'undoFactor',
  { undo, isOpen }: Pick<EmailUndo | FactorUndo, 'undo' | 'isOpen'>,
  end: LinkPage['end'],
): LinkPage {
  return {
    ...described[kind],
    ...(end && { end }),
    refuses: { ...refusals.ofLink, ...refusals.ofField },
    fieldNames: [],
    texts: ({ texts }) => texts[kind],
    fields: () => [],
    isOpen,
    async submit(form, request) {
      await undo(form.get('token') ?? '', byStranger(request))
    },
    faultOf: refusedFault,
  }
}
