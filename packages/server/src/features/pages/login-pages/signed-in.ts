// Who uses a browser: the login in its cookie, and the account of this login.
import type { HttpRequestWithBody } from 'keystile/internal'
import type { BrowserLogins, BrowserSession } from '../../sign-in/browser-login/browser-logins.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import type { Login } from '../../sign-in/login/login.ts'
import type { Directory } from '../../users/directory/directory.ts'

export interface SignedIn<U> {
  readonly session: BrowserSession
  readonly user: U
  /** Whether the login lacks the factor that the account needs: a remembered device spares it. */
  readonly isFactorSpared: boolean
}

export interface SignedInParts<U> {
  readonly cookies: PageCookies
  readonly browserLogins: BrowserLogins
  readonly directory: Pick<Directory<U>, 'findActive'>
  readonly login: Pick<Login, 'needsSecondStep' | 'isRemembered'>
}

/**
 * Returns the user of a browser. Each request reads the account again: undefined if the login has
 * ended, if the user is disabled, or if the account needs a second factor that the login lacks and
 * that no remembered device spares.
 */
export async function findSignedIn<U>(
  request: HttpRequestWithBody,
  { cookies, browserLogins, directory, login }: SignedInParts<U>,
): Promise<SignedIn<U> | undefined> {
  const secret = cookies.login.read(request)
  const session = secret === undefined ? undefined : await browserLogins.find(secret)
  if (!session) return undefined

  const { subject, amr } = session
  const user = await directory.findActive(subject)
  if (user === undefined) return undefined

  const lacksFactor = !amr?.includes('mfa') && (await login.needsSecondStep(subject))
  if (lacksFactor && !(await login.isRemembered(session, cookies.device.read(request))))
    return undefined
  return { session, user, isFactorSpared: lacksFactor }
}
