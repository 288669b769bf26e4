// What the pages and mails show of the app.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { accentsOf, accentStyle, type Accents } from './accent.ts'
import { Html, markup } from './html.ts'

/** The name, the look and the addresses of the app. Made once, at the start. */
export interface Brand {
  /** The name of the app, or the host of the issuer. */
  readonly name: string
  /** The host of the issuer, such as `auth.example.com`. */
  readonly host: string
  /** The path of the issuer without a slash at the end, such as `/auth`. */
  readonly base: string
  /** Where people go on, and the name of this place. `isApp`: it is the app. */
  readonly next: { readonly href: string; readonly name: string; readonly isApp: boolean }
  readonly logo: Logo | undefined
  readonly termsUrl: string | undefined
  readonly privacyUrl: string | undefined
  readonly accents: Accents
  readonly style: PageStyle
}

export interface Logo {
  /** The element that shows the logo beside the name. */
  readonly element: Html
  /** The path of the file for the icon of the window. Undefined without a file. */
  readonly path: string | undefined
  /** The file, for mails. Undefined if mail programs do not show its format. */
  readonly png?: Uint8Array<ArrayBuffer> | undefined
}

/** The stylesheet of all pages, with its hash for the Content-Security-Policy. */
export interface PageStyle {
  readonly element: Html
  readonly hash: string
}

/** The settings that the brand is made from. */
export interface BrandSettings {
  readonly issuer: string
  readonly corsOrigins?: readonly string[] | undefined
  readonly appName?: string | undefined
  readonly appUrl?: string | undefined
  readonly appColor: string
  readonly termsUrl?: string | undefined
  readonly privacyUrl?: string | undefined
}

/** The files of the app, as they were read. */
export interface BrandFiles {
  readonly logo?: Logo | undefined
  /** The rules of the app, which come after those of Keystile. */
  readonly css?: string | undefined
}

/** Makes the brand from the settings. */
export function createBrand(settings: BrandSettings, { logo, css = '' }: BrandFiles = {}): Brand {
  const { issuer, appName, appColor, termsUrl, privacyUrl } = settings
  const { host, pathname } = new URL(issuer)
  const accents = accentsOf(appColor)
  return {
    name: appName ?? host,
    host,
    base: pathname.replace(/\/+$/, ''),
    next: nextOf(settings),
    logo,
    termsUrl,
    privacyUrl,
    accents,
    style: styleOf(accentStyle(accents) + readStyle() + css),
  }
}

/** Returns the brand for the pages for developers: it has the name and the mark of Keystile. */
export function developmentBrand({ host, ...brand }: Brand): Brand {
  const next = { href: `${brand.base}/`, name: host, isApp: false }
  const own = { name: 'Keystile', host, next, logo: { element: keystileMark, path: undefined } }
  return { ...brand, ...own, termsUrl: undefined, privacyUrl: undefined }
}

const keystileMark = markup`<svg viewBox="0 0 40 40" width="40" height="40" aria-hidden="true">
<path d="M6 34V14a14 14 0 0 1 28 0v20" fill="none" stroke="#7a1fa2" stroke-width="5"/>
<path d="M4 25h32" stroke="#1a1a20" stroke-width="4"/></svg>`

/** Returns `appUrl`, or the only origin in `corsOrigins`, or the root of the issuer. */
function nextOf({ issuer, appName, appUrl, corsOrigins = [] }: BrandSettings): Brand['next'] {
  const origins = corsOrigins.filter((one) => URL.canParse(one))
  const [onlyOrigin] = origins.length === 1 ? origins : []
  const app = appUrl ?? (onlyOrigin && new URL('/', onlyOrigin))
  const { href, host } = new URL(app ?? new URL('/', issuer))
  return { href, name: appName ?? host, isApp: app !== undefined }
}

/** What `readStyle` returns, once it has read the file. */
let pagesCss: string | undefined

/** Returns pages.css without comments and needless white space. */
function readStyle(): string {
  pagesCss ??= readFileSync(new URL(import.meta.resolve('#pages.css')), 'utf8')
    .replaceAll(/\/\*[^]*?\*\//g, '') // comments
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,]) ?/g, '$1')
  return pagesCss
}

function styleOf(css: string): PageStyle {
  return {
    element: new Html(`<style>${css}</style>`),
    hash: createHash('sha256').update(css).digest('base64'),
  }
}
