// The pages on which people set up and remove their authenticator app, and make recovery codes.
import type { ShownSecret } from '../../credentials/second-factors/shown-secret.ts'
import { codeAttributes, hiddenField } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { buttonOf, linksOf, pointsOf } from '../../../pages/parts.ts'
import { appSteps, codesPage } from '../login-pages/step-pages.ts'
import { accountPage, backLink, drawForm, formPage, type AccountPage, type Visit } from './visit.ts'

export interface OwnFactors {
  readonly totp: { readonly created_at: string } | null
  readonly recovery_codes: number
}

export async function readFactors({ call }: Pick<Visit, 'call'>): Promise<OwnFactors> {
  return (await call('GET /users/me/factors')) as OwnFactors
}

/** Explains the app; shows its secret; asks for its first code; shows the recovery codes. */
export const appPage: AccountPage = {
  name: 'app',
  section: 'sign-in',
  summaries: ['Set up an authenticator app', 'Show the secret of the app, or confirm its code'],
  endpoint: 'POST /users/me/factors/totp',
  fieldNames: ['confirm', 'code'],
  async show(visit, tried) {
    const { loginPage, accountHome } = visit.reader.texts
    const { heading, intro, next, enterCode, button } = loginPage.enrol
    const isWrongCode = tried?.refused.field === 'code'
    if (isWrongCode)
      return formPage(
        visit,
        {
          heading: enterCode,
          intro: visit.account,
          name: 'app',
          hidden: confirms,
          fields: [codeField(visit)],
          button: { label: button },
          after: linksOf({ label: accountHome.app.again, href: `${visit.home}/app` }),
        },
        tried.refused,
      )

    const { totp } = await readFactors(visit)
    const { replaces, loginNext } = accountHome.app
    return formPage(
      visit,
      {
        heading,
        intro,
        name: 'app',
        before: pointsOf([totp ? replaces : loginNext, accountHome.othersEnd]),
        button: { label: next },
      },
      tried?.refused,
    )
  },
  async submit(visit, form) {
    if (form.has('confirm')) {
      const json = { code: form.get('code') ?? '' }
      return showCodes(visit, await visit.call('POST /users/me/factors/totp/confirm', { json }))
    }

    const begun = (await visit.call('POST /users/me/factors/totp')) as BegunApp
    const { secret, uri, qr_svg: qrSvg } = begun
    return secretPage(visit, { secret, uri, qrSvg })
  },
  faultOf({ status }, { reader: { texts } }, form) {
    const { app } = texts.accountHome
    if (!form.has('confirm')) return status === 403 ? { text: app.addressFirst } : undefined
    if (status === 403) return { field: 'code', text: texts.loginPage.wrongCode }
    return status === 409 ? { text: app.gone } : undefined
  },
}

interface BegunApp {
  readonly secret: string
  readonly uri: string
  readonly qr_svg: string
}

const confirms = hiddenField('confirm', 'on')

function codeField({ reader }: Visit) {
  const { label } = reader.texts.loginPage.factor
  return { name: 'code', label, attributes: codeAttributes() }
}

function secretPage(visit: Visit, shown: ShownSecret) {
  const { heading, intro, button: label } = visit.reader.texts.loginPage.enrol
  const fields = [codeField(visit)]
  const form = drawForm(visit, { name: 'app', hidden: confirms, fields, end: buttonOf({ label }) })
  const content = markup`${appSteps(visit.reader, shown, form)}
${backLink(visit)}`
  return accountPage(visit.reader, { heading, intro, content })
}

function showCodes({ reader, home }: Visit, answer: unknown) {
  const { recovery_codes: codes } = answer as { readonly recovery_codes: readonly string[] }
  return codesPage(reader, codes, home)
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
    const { heading, passwordOnly, codesEnd, button, replace } = app.removal
    return formPage(
      visit,
      {
        heading,
        intro,
        name: 'remove-app',
        before: pointsOf([passwordOnly, codesEnd, othersEnd]),
        button: { label: button, kind: 'danger' },
        after: settings.offersApp ? linksOf({ label: replace, href: `${home}/app` }) : undefined,
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
    return formPage(
      visit,
      {
        heading,
        intro: visit.account,
        name: 'recovery-codes',
        before: pointsOf([oldEnd]),
        button: { label },
      },
      tried?.refused,
    )
  },
  async submit(visit) {
    return showCodes(visit, await visit.call('POST /users/me/factors/recovery-codes'))
  },
  faultOf: () => undefined,
}
