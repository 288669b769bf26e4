import type { HttpAnswer } from 'keystile/internal'
import { actionsOf, linksOf, pointsOf } from '../../../pages/parts.ts'
import type { Refused } from '../account-pages/faults.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { accountFormPage } from './account-form.ts'
import type { AccountPage } from './account-page.ts'
import { noAppPage } from './no-app-page.ts'
import type { Visit } from './visit.ts'

export const appRemovalPage: AccountPage = {
  name: 'remove-app',
  section: 'sign-in',
  summaries: ['Remove the authenticator app', 'Submit the form to remove the app'],
  endpoint: 'DELETE /users/me/factors/totp',
  fieldNames: [],
  async show(visit, tried) {
    const noApp = await noAppPage(visit)
    if (noApp) return noApp
    const draw = visit.needsFactor ? requiredView : removalView
    return draw(visit, tried?.refused)
  },
  async submit(visit) {
    const noApp = await noAppPage(visit)
    if (noApp) return noApp
    await visit.call('DELETE /users/me/factors/totp')
    return 'appRemoved'
  },
  faultOf({ status }, { reader: { texts } }) {
    return status === 409 ? { text: texts.accountHome.app.removal.required } : undefined
  },
}

/** Says to a person who must have a factor that the app can only be replaced. */
function requiredView({ reader, home }: Visit, refused?: Refused): HttpAnswer {
  const { app, back: label } = reader.texts.accountHome
  const { replace, required: intro } = app.removal
  const another = { label: replace, href: `${home}/app` }
  const content = actionsOf(another, { label, href: home, kind: 'second' })
  return sameOriginPage(reader, { heading: app.title, intro, content }, refused)
}

function removalView(visit: Visit, refused?: Refused): HttpAnswer {
  const { reader, account: intro, home, settings } = visit
  const { app, othersEnd } = reader.texts.accountHome
  const { heading, passwordOnly, codesEnd, button, replace } = app.removal
  return accountFormPage(
    visit,
    {
      heading,
      intro,
      name: 'remove-app',
      before: pointsOf(['lock', passwordOnly], ['sheet', codesEnd], ['computer', othersEnd]),
      button: { label: button, kind: 'danger' },
      after: settings.offersApp ? linksOf({ label: replace, href: `${home}/app` }) : undefined,
    },
    refused,
  )
}
