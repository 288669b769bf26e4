// Where a person goes on from a page: to the app, to the login, or to the account.
import type { Button, Link } from '../../../pages/parts.ts'
import type { PageReader } from './reader.ts'

/** Returns the button to the app, or to the start page if no app is known. */
export function continueButton({ brand: { next }, texts }: PageReader): Button {
  return { label: `${texts.continueTo} ${next.name}`, href: next.href }
}

/**
 * Where a page leads, besides the app. `newLogin`: to the login, because the text of the page tells
 * the person to log in. `password`: to the page that sends a mail to set a new password, or
 * `passwordMail` if such a mail is on its way.
 */
export type End = 'login' | 'newLogin' | 'account' | 'password' | 'passwordMail'

/**
 * The ends whose button comes before the button to the app: the person must do this first. At all
 * others the app comes first, because most people opened the link to use it, and a login at
 * `/login` does not log in to it.
 */
const firstEnds: ReadonlySet<End> = new Set(['newLogin', 'password', 'passwordMail'])

/** Returns the buttons with which a page ends: to the app, and to Keystile's own page. */
export function endButtons(reader: PageReader, end: End): readonly [Button, ...Button[]] {
  const toApp = continueButton(reader)
  const own = ownButton(reader, end)
  if (!own) return [toApp]
  if (!reader.brand.next.isApp) return [own]
  return firstEnds.has(end) ? [own, asSecond(toApp)] : [toApp, asSecond(own)]
}

/**
 * Returns the button to Keystile's own page; undefined if this server has none. `/account` leads a
 * person who is not logged in to `/login`, and `/login` one who is to `/account`.
 */
function ownButton({ brand, hasLogin, texts }: PageReader, end: End): Button | undefined {
  const { base } = brand
  switch (end) {
    case 'login':
    case 'newLogin':
      return hasLogin ? { label: texts.loginPage.button, href: `${base}/login` } : undefined
    case 'account':
      return hasLogin ? { label: texts.accountHome.back, href: `${base}/account` } : undefined
    case 'password':
      return { label: texts.reset.heading, href: `${base}/account/forgot-password` }
    case 'passwordMail':
      break
  }
  return { label: texts.reset.again, href: `${base}/account/forgot-password` }
}

export function asSecond(button: Button): Button {
  return { ...button, kind: 'second' }
}

/** Returns the link away from a form: to the account, to the login, or to the app. */
export function backLink(reader: PageReader): Link | undefined {
  const { brand, hasLogin, isLoggedIn, texts } = reader
  if (isLoggedIn) return { label: texts.accountHome.back, href: `${brand.base}/account` }
  if (hasLogin) return { label: texts.loginPage.back, href: `${brand.base}/login` }
  const { name, href, isApp } = brand.next
  return isApp ? { label: `${texts.continueTo} ${name}`, href } : undefined
}
