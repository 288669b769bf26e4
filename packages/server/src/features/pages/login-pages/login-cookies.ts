// What a browser gets when a login begins, and loses when it ends.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { makeSecret } from '../../../base/secret.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { PageCookies } from '../../sign-in/browser-login/page-cookies.ts'
import { deviceSeconds } from '../../sign-in/known-devices/devices.ts'
import type { FinishedLogin } from '../../sign-in/login/finish.ts'
import type { LoginPageParts } from './login-parts.ts'

/** Returns values of `Set-Cookie`: for the login, and for the device if it got a secret. */
export function loginCookies<U>(
  { secret, deviceSecret }: Pick<FinishedLogin, 'deviceSecret'> & { readonly secret: string },
  { cookies: { login, form, device }, lifetimes }: Pick<LoginPageParts<U>, 'cookies' | 'lifetimes'>,
): readonly string[] {
  return [
    login.set(secret, lifetimes.sessionSeconds),
    // Forms that were opened before the login do not work any more.
    endForms({ form }),
    ...(deviceSecret === undefined ? [] : [device.set(deviceSecret, deviceSeconds)]),
  ]
}

/** Returns a value of `Set-Cookie` with which the forms that were drawn so far do not work. */
export function endForms({ form }: Pick<PageCookies, 'form'>): string {
  return form.set(makeSecret())
}

/**
 * Logs the browser out that gets this answer. A browser may keep pages for its Back button, even if
 * no cache may store them. `Clear-Site-Data` hides them from the next person.
 */
export function loggedOut(answer: HttpAnswer, cookies: PageCookies): HttpAnswer {
  const headers = { ...answer.headers, 'clear-site-data': '"cache"' }
  return withCookies({ ...answer, headers }, [cookies.login.cleared, endForms(cookies)])
}

/** Ends the session of the browser, if it is logged in. */
export async function endLogin<U>(
  request: HttpRequestWithBody,
  { cookies, browserLogins, ends }: Pick<LoginPageParts<U>, 'cookies' | 'browserLogins' | 'ends'>,
): Promise<void> {
  const secret = cookies.login.read(request)
  const session = secret === undefined ? undefined : await browserLogins.find(secret)
  if (!session) return
  const by = { ...byStranger(request), actor: `user:${session.subject}` as const }
  await ends.end(session.id, { ...by, sessionId: session.id, clientId: session.clientId })
}

export function withCookies(answer: HttpAnswer, cookies: readonly string[]): HttpAnswer {
  return { ...answer, cookies: [...(answer.cookies ?? []), ...cookies] }
}
