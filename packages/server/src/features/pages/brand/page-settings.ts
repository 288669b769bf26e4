import { createBrand, type Brand, type BrandSettings } from '../../../pages/brand.ts'
import type { Language } from '../../mail/messages/message.ts'
import { pageTextsWith, type PageTextsByLanguage } from '../../mail/messages/texts.ts'

/** What all pages are made from. */
export interface PageSettings {
  readonly brand: Brand
  /** The texts in each language that pages have. */
  readonly texts: PageTextsByLanguage
  /** The language of a page if the browser asks for none that pages have. */
  readonly mailLanguage: Language
}

/** Reads the files of the app, and makes what all pages are made from. */
export function openPages(
  options: BrandSettings & Pick<PageSettings, 'mailLanguage'>,
): PageSettings {
  return { brand: createBrand(options), texts: pageTextsWith(), mailLanguage: options.mailLanguage }
}
