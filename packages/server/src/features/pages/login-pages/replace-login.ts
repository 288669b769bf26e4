import type { HttpRequestWithBody } from 'keystile/internal'
import { makeSecret } from '../../../base/secret.ts'
import { setUpLoginSeconds } from '../../users/accounts/login-age.ts'
import { senderIn } from './ask-login.ts'
import { loginCookies } from './login-cookies.ts'
import type { LoginPageParts } from './login-parts.ts'
import type { SignedIn } from './signed-in.ts'

/**
 * Replaces the login of a browser, after a first app was set up in it. Returns the cookies of the
 * new login; none if the person must log in.
 */
export async function replaceLogin<U>(
  request: HttpRequestWithBody,
  { session: { id, scopes } }: SignedIn<U>,
  { login, ...parts }: Pick<LoginPageParts<U>, 'login' | 'cookies' | 'lifetimes'>,
): Promise<readonly string[]> {
  const secret = makeSecret()
  const done = await login.stepUpWithNewApp({
    front: 'pages',
    authSession: undefined,
    demand: { needsFactor: true, maxAgeSeconds: setUpLoginSeconds },
    replaces: { id, scopes },
    ...senderIn(request, secret, parts.cookies),
  })
  return done ? loginCookies({ ...done, secret }, parts) : []
}
