import { pointsOf } from '../../../pages/parts.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { accountFormPage } from './account-form.ts'
import type { AccountPage } from './account-page.ts'
import { newCodesPage } from './new-codes-page.ts'
import { noAppPage } from './no-app-page.ts'

export const recoveryCodesPage: AccountPage = {
  name: 'recovery-codes',
  section: 'sign-in',
  summaries: ['Make new recovery codes', 'Make new recovery codes, and show them'],
  endpoint: 'POST /users/me/factors/recovery-codes',
  fieldNames: [],
  async show(visit, tried) {
    const noApp = await noAppPage(visit)
    if (noApp) return noApp
    const { heading, oldEnd, button: label } = visit.reader.texts.accountHome.codes
    return accountFormPage(
      visit,
      {
        heading,
        intro: visit.account,
        name: 'recovery-codes',
        before: pointsOf(['sheet', oldEnd]),
        button: { label },
      },
      tried?.refused,
    )
  },
  async submit(visit) {
    const noApp = await noAppPage(visit)
    if (noApp) return noApp
    const codes = await visit.call('POST /users/me/factors/recovery-codes')
    // Loading the page again must not make other codes than those that the person has saved.
    return withCookies(newCodesPage(visit, codes, 'codes'), [visit.endForms()])
  },
  faultOf: () => undefined,
}
