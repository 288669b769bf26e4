// The page at the root of the stand-alone server.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { isOnThisMachine } from '../../../base/this-machine.ts'
import { actionsOf, type Button } from '../../../pages/parts.ts'
import { page, readerOf, type PageReader } from '../account-pages/reader.ts'
import { unavailablePage } from '../account-pages/refusal-page.ts'
import { asSecond, continueButton } from '../account-pages/ways-on.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import { developersPage } from './developers-page.ts'
import type { StartOptions } from './start-options.ts'

/** What the start page shows besides the settings. */
export interface Surroundings {
  readonly pages: PageSettings
  readonly hasMetrics: boolean
  hasAdministrator(): Promise<boolean>
  /** What an operator types to run a command of this installation. */
  readonly program: string
}

/**
 * Returns the start page. If the issuer is on this machine, the page is for developers: it says
 * what runs here, and how to switch on what is off. Otherwise it says where people log in.
 */
export async function startPage(
  request: HttpRequestWithBody,
  options: StartOptions,
  surroundings: Surroundings,
): Promise<HttpAnswer> {
  if (!isOnThisMachine(options.issuer)) return publicPage(request, options, surroundings.pages)

  const hasAdministrator = await surroundings.hasAdministrator().catch(() => undefined)
  return hasAdministrator === undefined
    ? unavailablePage(request, surroundings.pages)
    : developersPage(options, { ...surroundings, hasAdministrator })
}

const emblem = { icon: 'app' } as const

/** Says where people log in, in the language of the reader. */
function publicPage(
  request: HttpRequestWithBody,
  options: StartOptions,
  pages: PageSettings,
): HttpAnswer {
  const reader = readerOf(request, pages)
  if (reader.hasLogin) return loginHerePage(reader)

  const { heading, text: intro } = reader.texts.start
  const way = wayOn(options, reader)
  return page(reader, { heading, intro, emblem, content: way && actionsOf(way) })
}

/** The start page if people log in at Keystile's own pages. */
function loginHerePage(reader: PageReader): HttpAnswer {
  const { start, accountHome, loginPage } = reader.texts
  const { base, next } = reader.brand
  const login = { label: loginPage.button, href: `${base}/login` }
  const toApp = next.isApp ? [asSecond(continueButton(reader))] : []
  const content = actionsOf(login, ...toApp)
  return page(reader, { heading: accountHome.heading, intro: start.own, emblem, content })
}

/** Returns the button to the app, or to the page for a new password. */
function wayOn({ accountPagesUrl, mailUrl }: StartOptions, reader: PageReader): Button | undefined {
  const { brand, texts } = reader
  if (brand.next.isApp) return continueButton(reader)
  if (accountPagesUrl !== undefined) {
    const { origin, host } = new URL(accountPagesUrl)
    return { label: `${texts.continueTo} ${host}`, href: origin }
  }
  if (mailUrl === undefined) return undefined
  const href = `${brand.base}/account/forgot-password`
  return { label: texts.forgot.heading, href, kind: 'second' }
}
