// Reads which second factors a person has, and shows the recovery codes of new ones.
import type { HttpAnswer } from 'keystile/internal'
import { codesPage } from '../login-pages/codes-page.ts'
import { withCookies } from '../login-pages/login-cookies.ts'
import type { Done, Visit } from './visit.ts'

/** The authenticator app that a person has set up. */
export interface OwnApp {
  readonly created_at: string
}

interface OwnFactors {
  readonly totp: OwnApp | null
  readonly recovery_codes: number
  readonly recovery_codes_created_at: string | null
}

export async function readFactors({ call }: Pick<Visit, 'call'>): Promise<OwnFactors> {
  return (await call('GET /users/me/factors')) as OwnFactors
}

/** Shows the recovery codes that an endpoint has answered, once. */
export function showCodes(
  { reader, account, home, say }: Visit,
  answer: unknown,
  done: Done,
): HttpAnswer {
  const { recovery_codes: codes } = answer as { readonly recovery_codes: readonly string[] }
  return withCookies(codesPage(reader, { codes, account, next: home }), [say(done)])
}
