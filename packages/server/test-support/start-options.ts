// The settings that the start page of the stand-alone server shows, and what its pages are made of.
import { openPages, type PageSettings } from '../src/features/pages/brand/page-settings.ts'
import type { StartOptions } from '../src/features/pages/start-page/start-options.ts'

export const testOptions: StartOptions = {
  issuer: 'http://localhost:8000',
  registration: 'open',
  cookieSession: false,
  docs: 'on',
}

/** Returns what the pages of a server with these options are made of. */
export const pagesOf = (options: Partial<StartOptions>): PageSettings =>
  openPages({ ...testOptions, ...options, mailLanguage: 'en', appColor: '#7a1fa2' })

export const testPages: PageSettings = pagesOf({})
