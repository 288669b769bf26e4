// The page on which people set up an authenticator app. It explains the app; shows its secret, and
// asks for its first code; shows the recovery codes.
//
// The secret comes from the browser: from its cookie, or from the form, which tells which secret
// the page has shown. The server never shows a secret that waits for its code: a thief with the
// cookie of the login could read the one that the owner is about to confirm.
import type { HttpAnswer } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { seeOther } from '../../../http/route.ts'
import { hiddenField } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { actionsOf, buttonOf, linksOf, pointsOf } from '../../../pages/parts.ts'
import { showSecret } from '../../credentials/second-factors/shown-secret.ts'
import type { Refused } from '../account-pages/faults.ts'
import { codeField } from '../account-pages/fields.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { formatTime } from '../account-pages/format-time.ts'
import { appSteps } from '../login-pages/enrol-pages.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { accountFormPage, anewButton, beginsAnew, drawAccountForm } from './account-form.ts'
import type { AccountPage, Tried } from './account-page.ts'
import { readFactors, showCodes, type OwnApp } from './own-factors.ts'
import type { Visit } from './visit.ts'

export const appPage: AccountPage = {
  name: 'app',
  section: 'sign-in',
  summaries: ['Set up an authenticator app', 'Show the secret of the app, or confirm its code'],
  endpoint: 'POST /users/me/factors/totp',
  fieldNames: ['secret', 'code', beginsAnew],
  admits: ({ kept }) =>
    kept.read('app') === undefined ? appPage.endpoint : 'POST /users/me/factors/totp/confirm',
  async show(visit, tried) {
    if (tried?.refused.error.status === 409) return nothingWaits(visit, tried)

    // A person who leaves the page and comes back finds the same secret: the app may have it.
    const secret = visit.kept.read('app') ?? tried?.form.get('secret')
    const isBeginning = tried !== undefined && tried.refused.field !== 'code'
    return isBeginning || !isSecret(secret)
      ? beginPage(visit, (await readFactors(visit)).totp, tried)
      : secretPage(visit, secret, tried?.refused)
  },
  submit: (visit, form) => (form.has('secret') ? confirm(visit, form) : begin(visit, form)),
  async answerStale(visit, form) {
    if (!form.has('secret')) return undefined
    const { totp } = await readFactors(visit)
    return totp ? setUpPage(visit, totp) : undefined
  },
  faultOf({ status }, { kept, reader: { texts } }, form) {
    const { app } = texts.accountHome
    const sent = form.get('secret')
    if (sent === undefined) return status === 403 ? { text: app.addressFirst } : undefined
    const isShown = sent === (kept.read('app') ?? sent)
    const { wrongCode } = texts.loginPage.enrol
    if (status === 403) return { field: 'code', text: isShown ? wrongCode : app.otherPicture }
    return status === 409 ? { text: app.gone } : undefined
  },
}

/** Begins with a new secret, unless this browser keeps one and the person goes on with it. */
async function begin(visit: Visit, form: Form): Promise<HttpAnswer> {
  const { kept, home } = visit
  const page = seeOther(`${home}/app`)
  if (kept.read('app') !== undefined && !form.has(beginsAnew)) return page

  const begun = (await visit.call('POST /users/me/factors/totp')) as { readonly secret: string }
  return withCookies(page, [kept.keep('app', begun.secret)])
}

/** Confirms the app with its first code, and shows the recovery codes. */
async function confirm(visit: Visit, form: Form): Promise<HttpAnswer> {
  const json = { code: form.get('code') ?? '' }
  const confirmed = await visit.call('POST /users/me/factors/totp/confirm', { json })
  const answer = withCookies(showCodes(visit, confirmed, 'app'), [visit.kept.drop('app')])
  return visit.hasFactor ? answer : withCookies(answer, await visit.replaceLogin())
}

/** Explains what the app changes, before there is a secret. */
function beginPage(visit: Visit, replaced: OwnApp | null, tried?: Tried): HttpAnswer {
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
    tried?.refused,
  )
}

function isSecret(text: string | undefined): text is string {
  return text !== undefined && /^[A-Z2-7]{32}$/.test(text)
}

/** Shows the secret of the app, and asks for its first code. */
function secretPage(visit: Visit, secret: string, refused?: Refused): HttpAnswer {
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

/** Answers a code although no app waits for one. The browser need not keep the secret any more. */
async function nothingWaits(visit: Visit, tried: Tried): Promise<HttpAnswer> {
  const { totp } = await readFactors(visit)
  const answer = totp ? setUpPage(visit, totp) : beginPage(visit, totp, tried)
  return withCookies(answer, [visit.kept.drop('app')])
}

/**
 * No app waits for its code, and there is one. Perhaps the browser has sent the code twice, and the
 * person has lost the page with the recovery codes. Or it was the code of another picture, of which
 * the app still has an entry.
 */
function setUpPage(visit: Visit, { created_at: since }: OwnApp): HttpAnswer {
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
