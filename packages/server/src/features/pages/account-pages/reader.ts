// The person who reads a page: in which language, and with the look of which app.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import type { Brand } from '../../../pages/brand.ts'
import { pageAnswer, type Page } from '../../../pages/layout.ts'
import { parseLanguage, preferredOf } from '../../mail/messages/language.ts'
import type { Language } from '../../mail/messages/message.ts'
import type { PageTexts } from '../../mail/messages/text-types.ts'
import type { PageSettings } from '../brand/page-settings.ts'

export interface PageReader {
  readonly language: string
  /** The language of the mails that the person asks for. */
  readonly mailLanguage: Language
  readonly texts: PageTexts
  readonly brand: Brand
  readonly hasLogin: boolean
  /** Whether the browser is logged in. Only the pages for links ask. */
  readonly isLoggedIn?: boolean
  /** See `PageCookies`. Undefined on pages that know no cookies. */
  readonly formToken?: string
}

export function readerOf({ headers }: HttpRequestWithBody, settings: PageSettings): PageReader {
  const { brand, texts, mailLanguage, hasLogin } = settings
  const preferred = preferredOf(Object.keys(texts), headers.get('accept-language'))
  const language = preferred ?? mailLanguage
  return {
    language,
    mailLanguage: parseLanguage(language) ?? mailLanguage,
    texts: texts[language] ?? texts[mailLanguage],
    brand,
    hasLogin,
  }
}

/** Returns a page in the language of the reader, with the look of the app. */
export function page(
  { language, brand, texts }: PageReader,
  shown: Omit<Page, 'language' | 'brand' | 'words'>,
): HttpAnswer {
  return pageAnswer({ ...shown, language, brand, words: texts.layout })
}
