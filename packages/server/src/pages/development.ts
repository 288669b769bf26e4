import type { HttpAnswer } from 'keystile/internal'
import { developmentBrand, type Brand } from './brand.ts'
import { pageAnswer, type LayoutWords, type Page } from './layout.ts'

/** Returns a page for developers. Such pages are only in English, and show the name Keystile. */
export function developmentPage(
  brand: Brand,
  shown: Pick<Page, 'heading' | 'intro' | 'content'>,
): HttpAnswer {
  const page = { ...shown, language: 'en', words, isWide: true }
  return pageAnswer({ ...page, brand: developmentBrand(brand) })
}

const words: LayoutWords = { terms: 'Terms', privacy: 'Privacy', error: 'Error:' }
