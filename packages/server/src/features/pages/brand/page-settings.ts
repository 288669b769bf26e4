import { createBrand, type Brand, type BrandSettings } from '../../../pages/brand.ts'
import type { Language } from '../../mail/messages/message.ts'
import { withPageTexts, type PageTextsByLanguage } from '../../mail/messages/page-texts.ts'
import type { BrandOptions } from './feature.ts'
import { readCss, readLogo } from './files.ts'
import { logoOf, serveLogo, type FileAnswers } from './logo.ts'

/** What all pages are made from. */
export interface PageSettings {
  readonly brand: Brand
  /** The texts in each language that pages have. */
  readonly texts: PageTextsByLanguage
  /** The language of a page if the browser asks for none that pages have. */
  readonly mailLanguage: Language
  /** Whether people log in at `/login`, and have the page `/account`. */
  readonly hasLogin: boolean
}

/** The page settings, and what serves the logo, if there is one. */
export interface OpenPages extends PageSettings {
  readonly logo?: FileAnswers
}

interface PageOptions extends BrandSettings {
  readonly mailLanguage: Language
  readonly appLogoFile?: string | undefined
  readonly pagesCssFile?: string | undefined
  readonly pageTexts?: BrandOptions['pageTexts'] | undefined
  readonly loginPages?: 'on' | 'off' | undefined
}

/**
 * Reads the files of the app, and makes what all pages are made from.
 *
 * @throws {TypeError} if a file has changed since the options were checked, and is not usable
 */
export function openPages(options: PageOptions): OpenPages {
  const { issuer, appLogoFile, pagesCssFile, pageTexts, mailLanguage, loginPages } = options
  const file = appLogoFile === undefined ? undefined : readLogo(appLogoFile)
  const css = pagesCssFile === undefined ? undefined : readCss(pagesCssFile)
  return {
    brand: createBrand(options, { logo: file && logoOf(file, issuer), css }),
    texts: withPageTexts(pageTexts),
    mailLanguage,
    hasLogin: loginPages === 'on',
    ...(file && { logo: serveLogo(file, issuer) }),
  }
}
