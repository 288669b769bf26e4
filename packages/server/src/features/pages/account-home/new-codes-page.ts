import type { HttpAnswer } from 'keystile/internal'
import { codesPage } from '../login-pages/codes-page.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import type { NewCodes } from './endpoint-answers.ts'
import type { Done, Visit } from './visit.ts'

/**
 * Shows new recovery codes, once.
 *
 * @param done what the page of the account says afterwards
 */
export function newCodesPage(
  { reader, account, home, say }: Visit,
  { recovery_codes: codes }: NewCodes,
  done: Done,
): HttpAnswer {
  return withCookies(codesPage(reader, { codes, account, next: home }), [say(done)])
}
