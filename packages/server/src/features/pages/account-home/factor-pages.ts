// The pages on which people set up and remove their authenticator app, and make recovery codes.
import type { HttpAnswer } from 'keystile/internal'
import { seeOther } from '../../../http/route.ts'
import { codeAttributes, hiddenField } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { actionsOf, buttonOf, linksOf, pointsOf } from '../../../pages/parts.ts'
import { showSecret, type ShownSecret } from '../../credentials/second-factors/shown-secret.ts'
import type { Refused } from '../account-pages/faults.ts'
import { sameOriginPage } from '../account-pages/form.ts'
import { formatTime } from '../account-pages/format-time.ts'
import { withCookies } from '../login-pages/ask-login.ts'
import { appSteps, codesPage } from '../login-pages/step-pages.ts'
import { accountFormPage, anewButton, beginsAnew, drawAccountForm } from './account-form.ts'
import type { AccountPage, Tried } from './account-page.ts'
import type { Done, Visit } from './visit.ts'

export interface OwnFactors {
  readonly totp: { readonly created_at: string } | null
  readonly recovery_codes: number
}

export async function readFactors({ call }: Pick<Visit, 'call'>): Promise<OwnFactors> {
  return (await call('GET /users/me/factors')) as OwnFactors
}

/**
 * Explains the app; shows its secret; asks for its first code; shows the recovery codes. A person
 * who leaves the page and comes back finds the same secret: the app may have it already.
 */
export const appPage: AccountPage = {
  name: 'app',
  section: 'sign-in',
  summaries: ['Set up an authenticator app', 'Show the secret of the app, or confirm its code'],
  endpoint: 'POST /users/me/factors/totp',
  fieldNames: ['secret', 'code', beginsAnew],
  admits: (visit) =>
    visit.kept.read('app') === undefined ? appPage.endpoint : 'POST /users/me/factors/totp/confirm',
  async show(visit, tried) {
    const { status } = tried?.refused.error ?? {}
    if (status === 409) return withCookies(await beginPage(visit, tried), [visit.kept.drop('app')])

    const secret = visit.kept.read('app') ?? tried?.form.get('secret')
    const isBeginning = tried !== undefined && tried.refused.field !== 'code'
    if (isBeginning || !isSecret(secret)) return beginPage(visit, tried)
    const names = { service: visit.settings.service, account: visit.account }
    return secretPage(visit, showSecret(secret, names), tried?.refused)
  },
  async submit(visit, form) {
    const { kept, home } = visit
    if (form.has('secret')) {
      const json = { code: form.get('code') ?? '' }
      const confirmed = await visit.call('POST /users/me/factors/totp/confirm', { json })
      const answer = withCookies(showCodes(visit, confirmed, 'app'), [kept.drop('app')])
      return visit.hasFactor ? answer : withCookies(answer, await visit.replaceLogin())
    }

    const [answer, isBegun] = [seeOther(`${home}/app`), kept.read('app') !== undefined]
    if (isBegun && !form.has(beginsAnew)) return answer
    const { secret } = (await visit.call('POST /users/me/factors/totp')) as BegunApp
    return withCookies(answer, [kept.keep('app', secret)])
  },
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

/** Explains what the app changes, before there is a secret. */
async function beginPage(visit: Visit, tried?: Tried): Promise<HttpAnswer> {
  const { heading, intro, next } = visit.reader.texts.loginPage.enrol
  const { app, othersEnd } = visit.reader.texts.accountHome
  const { totp } = await readFactors(visit)
  if (totp && tried?.refused.error.status === 409) return setUpPage(visit, totp)

  const replaces = totp ? ([['app', app.replaces]] as const) : []
  return accountFormPage(
    visit,
    {
      heading,
      intro,
      name: 'app',
      before: pointsOf(...replaces, ['computer', othersEnd]),
      button: { label: next },
    },
    tried?.refused,
  )
}

interface BegunApp {
  readonly secret: string
}

function isSecret(text: string | undefined): text is string {
  return text !== undefined && /^[A-Z2-7]{32}$/.test(text)
}

/**
 * Shows the secret of the app, and asks for its first code. The secret comes from the browser: from
 * its cookie, or from the form, which tells which secret the page has shown. The server never shows
 * a secret that waits for its code: a thief with the cookie of the login could read the one that
 * the owner is about to confirm.
 */
function secretPage(visit: Visit, shown: ShownSecret, refused?: Refused): HttpAnswer {
  const { reader, home } = visit
  const { loginPage, accountHome } = reader.texts
  const { heading, intro, button: label } = loginPage.enrol
  const code = { name: 'code', label: loginPage.factor.label, attributes: codeAttributes() }
  const hidden = hiddenField('secret', shown.secret)
  const end = buttonOf({ label })
  const form = drawAccountForm(visit, { name: 'app', hidden, fields: [code], end }, refused)
  const again = anewButton(visit, 'app', accountHome.app.again)
  const back = { label: accountHome.back, href: home }
  const content = markup`${appSteps(reader, shown, form)}
${refused && again}
${linksOf(back)}`
  return sameOriginPage(reader, { heading, intro, content }, refused)
}

/**
 * No app waits for its code, and there is one. Perhaps the browser has sent the code twice, and the
 * person has lost the page with the recovery codes. Or it was the code of another picture, of which
 * the app still has an entry.
 */
function setUpPage(
  visit: Visit,
  { created_at: since }: { readonly created_at: string },
): HttpAnswer {
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

function showCodes({ reader, account, home, say }: Visit, answer: unknown, done: Done): HttpAnswer {
  const { recovery_codes: codes } = answer as { readonly recovery_codes: readonly string[] }
  return withCookies(codesPage(reader, { codes, account, next: home }), [say(done)])
}

export const appRemovalPage: AccountPage = {
  name: 'remove-app',
  section: 'sign-in',
  summaries: ['Remove the authenticator app', 'Submit the form to remove the app'],
  endpoint: 'DELETE /users/me/factors/totp',
  fieldNames: [],
  show(visit, tried) {
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
  show(visit, tried) {
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
    const made = await visit.call('POST /users/me/factors/recovery-codes')
    // Loading the page again must not make other codes than those that the person has saved.
    return withCookies(showCodes(visit, made, 'codes'), [visit.endForms()])
  },
  faultOf: () => undefined,
}
