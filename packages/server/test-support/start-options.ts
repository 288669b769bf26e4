// The settings that the start page of the stand-alone server shows, and what its pages are made of.
import { openPages, type PageSettings } from '../src/features/pages/brand/page-settings.ts'
import type { StartOptions } from '../src/features/pages/start-page/start-page.ts'

export const testOptions: StartOptions = {
  issuer: 'http://localhost:8000',
  registration: 'open',
  cookieSession: false,
  docs: 'on',
}

export const testPages: PageSettings = openPages({
  ...testOptions,
  mailLanguage: 'en',
  appColor: '#7a1fa2',
})
