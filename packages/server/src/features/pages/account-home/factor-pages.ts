// The pages on which people remove their authenticator app, and make new recovery codes. A person
// may come here by Back, or from another tab, after the app was removed.
import type { HttpAnswer } from 'keystile/internal'
import { actionsOf, linksOf, pointsOf } from '../../../pages/parts.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { accountFormPage } from './account-form.ts'
import type { AccountPage } from './account-page.ts'
import { readFactors, showCodes } from './own-factors.ts'
import type { Visit } from './visit.ts'

export const appRemovalPage: AccountPage = {
  name: 'remove-app',
  section: 'sign-in',
  summaries: ['Remove the authenticator app', 'Submit the form to remove the app'],
  endpoint: 'DELETE /users/me/factors/totp',
  fieldNames: [],
  async show(visit, tried) {
    if (!(await hasApp(visit))) return noAppPage(visit)

    const { reader, account: intro, home, settings } = visit
    const { app, othersEnd } = reader.texts.accountHome
    const { heading, passwordOnly, codesEnd, button, replace, required } = app.removal
    const another = { label: replace, href: `${home}/app` }
    if (visit.needsFactor) {
      const back = { label: reader.texts.accountHome.back, href: home, kind: 'second' } as const
      const content = actionsOf(another, back)
      return sameOriginPage(
        reader,
        { heading: app.title, intro: required, content },
        tried?.refused,
      )
    }
    return accountFormPage(
      visit,
      {
        heading,
        intro,
        name: 'remove-app',
        before: pointsOf(['lock', passwordOnly], ['sheet', codesEnd], ['computer', othersEnd]),
        button: { label: button, kind: 'danger' },
        after: settings.offersApp ? linksOf(another) : undefined,
      },
      tried?.refused,
    )
  },
  async submit(visit) {
    if (!(await hasApp(visit))) return noAppPage(visit)

    await visit.call('DELETE /users/me/factors/totp')
    return 'appRemoved'
  },
  faultOf({ status }, { reader: { texts } }) {
    return status === 409 ? { text: texts.accountHome.app.removal.required } : undefined
  },
}

export const recoveryCodesPage: AccountPage = {
  name: 'recovery-codes',
  section: 'sign-in',
  summaries: ['Make new recovery codes', 'Make new recovery codes, and show them'],
  endpoint: 'POST /users/me/factors/recovery-codes',
  fieldNames: [],
  async show(visit, tried) {
    if (!(await hasApp(visit))) return noAppPage(visit)

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
    if (!(await hasApp(visit))) return noAppPage(visit)

    const made = await visit.call('POST /users/me/factors/recovery-codes')
    // Loading the page again must not make other codes than those that the person has saved.
    return withCookies(showCodes(visit, made, 'codes'), [visit.endForms()])
  },
  faultOf: () => undefined,
}

async function hasApp(visit: Visit): Promise<boolean> {
  return (await readFactors(visit)).totp !== null
}

function noAppPage({ reader, home, settings }: Visit): HttpAnswer {
  const { accountHome, loginPage } = reader.texts
  const { heading, text: intro } = accountHome.app.missing
  const back = { label: accountHome.back, href: home }
  const setUp = { label: loginPage.enrol.heading, href: `${home}/app`, kind: 'second' } as const
  return sameOriginPage(reader, {
    heading,
    intro,
    emblem: { icon: 'app' },
    content: actionsOf(back, ...(settings.offersApp ? [setUp] : [])),
  })
}
