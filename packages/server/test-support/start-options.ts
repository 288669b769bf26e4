// The settings that the start page of the stand-alone server shows.
import type { StartOptions } from '../src/features/pages/start-page/start-page.ts'

export const testOptions: StartOptions = {
  issuer: 'http://localhost:8000',
  mailLanguage: 'en',
  registration: 'open',
  cookieSession: false,
  docs: 'on',
}
