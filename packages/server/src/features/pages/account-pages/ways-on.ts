// Where a person goes on from a page: to the app, to the login, or to the account.
import type { Button, Link } from '../../../pages/parts.ts'
import type { PageReader } from './reader.ts'

/** Returns the button to the app, or to the start page if no app is known. */
export function continueButton({ brand: { next }, texts }: PageReader): Button {
  return { label: `${texts.continueTo} ${next.name}`, href: next.href }
}

/**
 * Where a page leads, besides the app: to the login (`login`, or `newLogin` if the page tells the
 * person to log in), or to the account, if people log in at Keystile's pages, or to the page that
 * sends a mail to set a new password (`passwordMail` if such a mail is on its way).
 */
export type End = 'login' | 'newLogin' | 'account' | 'password' | 'passwordMail'

/**
 * Returns the buttons with which a page ends: to the app, and to Keystile's own page. The app comes
 * first, because most people opened the link to use it, and a login at `/login` does not log in to
 * it. Only a page for a new password comes before it, because the old one does not work any more,
 * and the login, if the text of the page tells the person to log in.
 * `/account` leads a person who is not logged in to `/login`, and `/login` one who is to
 * `/account`.
 */
export function endButtons(reader: PageReader, end: End): readonly [Button, ...Button[]] {
  const { brand, hasLogin, texts } = reader
  const toApp = continueButton(reader)
  const isOfPassword = end === 'password' || end === 'passwordMail'
  if (!hasLogin && !isOfPassword) return [toApp]

  const login = { label: texts.loginPage.button, href: `${brand.base}/login` }
  const forgot = `${brand.base}/account/forgot-password`
  const ends: Readonly<Record<End, Button>> = {
    login,
    newLogin: login,
    account: { label: texts.accountHome.back, href: `${brand.base}/account` },
    password: { label: texts.reset.heading, href: forgot },
    passwordMail: { label: texts.reset.again, href: forgot },
  }
  const own = ends[end]
  if (!brand.next.isApp) return [own]
  const isOwnFirst = isOfPassword || end === 'newLogin'
  return isOwnFirst ? [own, asSecond(toApp)] : [toApp, asSecond(own)]
}

export function asSecond(button: Button): Button {
  return { ...button, kind: 'second' }
}

/** Returns the link away from a form: to the account, to the login, or to the app. */
export function backLink(reader: PageReader): Link | undefined {
  const { brand, hasLogin, isLoggedIn, texts } = reader
  if (isLoggedIn) return { label: texts.accountHome.back, href: `${brand.base}/account` }
  if (hasLogin) return { label: texts.loginPage.back, href: `${brand.base}/login` }
  if (!brand.next.isApp) return undefined
  return { label: `${texts.continueTo} ${brand.next.name}`, href: brand.next.href }
}
