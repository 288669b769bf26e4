// The page whose link confirms a new e-mail address.
import type { Html } from '../../../pages/html.ts'
import { linkedOf } from '../../../pages/parts.ts'
import type { EmailChanges } from '../../mail/email-change/change-types.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { refusedFault } from './faults.ts'
import { passwordField } from './fields.ts'
import { refusals, type LinkPage } from './link-page.ts'
import type { PageReader } from './reader.ts'

export function emailChangePage({
  confirm,
  isOpen,
  addressOf,
}: Pick<EmailChanges, 'confirm' | 'isOpen' | 'addressOf'>): LinkPage {
  return {
    name: 'confirm-email-change',
    summary: 'Confirm a new e-mail address',
    refuses: { ...refusals.ofLink, ...refusals.ofField },
    fieldNames: ['password'],
    end: 'account',
    texts: ({ texts }) => texts.change,
    fields: (reader) => [passwordField(reader)],
    isOpen,
    // That page names the address, and needs no password.
    ownPage: async (token, subject) =>
      (await addressOf(token, subject)) === undefined ? undefined : 'new-address',
    async submit(form, request) {
      const owner = { subject: undefined, password: form.get('password') }
      await confirm({ token: form.get('token') ?? '' }, owner, byStranger(request))
    },
    async faultOf(error, reader, form) {
      if (error.status !== 403) return refusedFault(error, reader)
      const token = form.get('token') ?? ''
      if (error.reason === 'factor_missing') return { text: factorMissing(reader, token) }
      // The link is not at fault if it still works.
      const isOfPassword = await isOpen(token)
      return isOfPassword ? { field: 'password', text: reader.texts.change.refused } : undefined
    },
  }
}

/** Leads to the page that confirms the address in a login, which can have the factor. */
function factorMissing({ hasLogin, brand, texts }: PageReader, token: string): string | Html {
  if (!hasLogin) return texts.change.factorMissing
  const query = new URLSearchParams({ token })
  const href = `${brand.base}/account/new-address?${query.toString()}`
  return linkedOf(texts.change.factorInLogin, { href })
}
