// The page on which people set up an authenticator app. `app-views.ts` draws it.
//
// The secret comes from the browser: from its cookie, or from the form, which tells which secret
// the page has shown. The server never shows a secret that waits for its code: a thief with the
// cookie of the login could read the one that the owner is about to confirm.
import type { HttpAnswer } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import type { Form } from '../../../http/form.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import { beginsAnew } from './account-form.ts'
import type { AccountPage, Tried } from './account-page.ts'
import { beginView, isSetUpView, secretView } from './app-views.ts'
import { newCodesPage } from './new-codes-page.ts'
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
    const secret = secretToConfirm(visit, tried)
    if (secret !== undefined) return secretView(visit, secret, tried?.refused)

    const { totp } = await visit.call('GET /users/me/factors')
    const waitsForNoCode = tried?.refused.error.status === 409
    if (!waitsForNoCode) return beginView(visit, totp, tried?.refused)

    const answer = totp ? isSetUpView(visit, totp) : beginView(visit, totp, tried.refused)
    return withCookies(answer, [visit.kept.drop('app')])
  },
  submit(visit, form) {
    const secret = form.get('secret')
    return secret === undefined ? begin(visit, form) : confirm(visit, form)
  },
  async answerStale(visit, form) {
    if (!form.has('secret')) return undefined
    const { totp } = await visit.call('GET /users/me/factors')
    return totp ? isSetUpView(visit, totp) : undefined
  },
  faultOf({ status }, visit, form) {
    const { app } = visit.reader.texts.accountHome
    const secret = form.get('secret')
    if (secret === undefined) return status === 403 ? { text: app.addressFirst } : undefined
    if (status === 403) return { field: 'code', text: wrongCodeText(visit, secret) }
    return status === 409 ? { text: app.gone } : undefined
  },
}

/**
 * Returns the secret whose code the page asks for; undefined before there is one, or after a
 * refusal that is not about the code. A person who leaves the page and comes back finds the same
 * secret: the app may have it.
 */
function secretToConfirm({ kept }: Visit, tried: Tried | undefined): string | undefined {
  if (tried !== undefined && tried.refused.field !== 'code') return undefined

  const secret = kept.read('app') ?? tried?.form.get('secret')
  return secret !== undefined && /^[A-Z2-7]{32}$/.test(secret) ? secret : undefined
}

/** Begins with a new secret, unless this browser keeps one and the person goes on with it. */
async function begin(visit: Visit, form: Form): Promise<HttpAnswer> {
  const { kept, home } = visit
  const page = seeOther(`${home}/app`)
  if (kept.read('app') !== undefined && !form.has(beginsAnew)) return page

  const { secret } = await visit.call('POST /users/me/factors/totp')
  return withCookies(page, [kept.keep('app', secret)])
}

/** Confirms the app with its first code, and shows the recovery codes. */
async function confirm(visit: Visit, form: Form): Promise<HttpAnswer> {
  const json = { code: form.get('code') ?? '' }
  const codes = await visit.call('POST /users/me/factors/totp/confirm', { json })
  const answer = withCookies(newCodesPage(visit, codes, 'app'), [visit.kept.drop('app')])
  return visit.hasFactor ? answer : withCookies(answer, await visit.replaceLogin())
}

/** The code is of another picture if another window has begun anew since the page was drawn. */
function wrongCodeText({ kept, reader: { texts } }: Visit, secret: string): string {
  const isOfOtherPicture = (kept.read('app') ?? secret) !== secret
  return isOfOtherPicture ? texts.accountHome.app.otherPicture : texts.loginPage.enrol.wrongCode
}
