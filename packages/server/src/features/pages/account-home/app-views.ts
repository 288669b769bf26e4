// The views of the page on which people set up an authenticator app, one for each of its states.
import type { HttpAnswer } from 'keystile/internal'
import { hiddenField } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { actionsOf, buttonOf, linksOf, pointsOf } from '../../../pages/parts.ts'
import { showSecret } from '../../credentials/second-factors/shown-secret.ts'
import type { Refused } from '../account-pages/faults.ts'
import { codeField } from '../account-pages/fields.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { formatTime } from '../account-pages/format-time.ts'
import { appSteps } from '../login-pages/enrol-pages.ts'
import { accountFormPage, anewButton, drawAccountForm } from './account-form.ts'
import type { OwnApp } from './endpoint-answers.ts'
import type { Visit } from './visit.ts'

/** Explains what the app changes, before there is a secret. @param replaced the app of today */
export function beginView(visit: Visit, replaced: OwnApp | null, refused?: Refused): HttpAnswer {
  const { heading, intro, next } = visit.reader.texts.loginPage.enrol
  const { app, othersEnd } = visit.reader.texts.accountHome
  const replaces = replaced ? ([['app', app.replaces]] as const) : []
  return accountFormPage(
    visit,
    {
      heading: replaced ? app.replacing : heading,
      intro,
      name: 'app',
      before: pointsOf(...replaces, ['computer', othersEnd]),
      button: { label: next },
    },
    refused,
  )
}

/** Shows the secret of the app, and asks for its first code. */
export function secretView(visit: Visit, secret: string, refused?: Refused): HttpAnswer {
  const { reader, home, account, settings } = visit
  const { loginPage, accountHome } = reader.texts
  const { heading, intro, button: label } = loginPage.enrol
  const code = codeField('code', loginPage.factor.label)
  const hidden = hiddenField('secret', secret)
  const end = buttonOf({ label })
  const form = drawAccountForm(visit, { name: 'app', hidden, fields: [code], end }, refused)
  const shown = showSecret(secret, { service: settings.service, account })
  const again = anewButton(visit, 'app', accountHome.app.again)
  const back = { label: accountHome.back, href: home }
  const content = markup`${appSteps(reader, shown, form)}
${refused && again}
${linksOf(back)}`
  return sameOriginPage(reader, { heading, intro, content }, refused)
}

/**
 * Says that an app is set up, although a code came for which no app waits. Perhaps the browser has
 * sent the code twice, and the person has lost the page with the recovery codes. Or it was the code
 * of another picture, of which the app still has an entry.
 */
export function isSetUpView(visit: Visit, { created_at: since }: OwnApp): HttpAnswer {
  const { reader, home } = visit
  const { accountHome } = reader.texts
  const { app, codes } = accountHome
  return sameOriginPage(reader, {
    heading: app.isSetUp.heading,
    intro: app.isSetUp.text(formatTime(since, reader.language, 'minutes')),
    emblem: { icon: 'app', tone: 'care' },
    content: markup`${actionsOf(
      { label: codes.button, href: `${home}/recovery-codes` },
      { label: accountHome.back, href: home, kind: 'second' },
    )}
${linksOf({ label: app.removal.replace, href: `${home}/app` })}`,
  })
}
