// The answer to a browser whose login has just succeeded.
import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import type { Form } from '../../../http/form.ts'
import type { FinishedLogin } from '../../sign-in/login/finish.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { codesPage, usedCode } from './codes-page.ts'
import { endLogin, loginCookies, withCookies } from './login-cookies.ts'
import type { LoginPageParts } from './login-parts.ts'

interface NewLogin extends FinishedLogin {
  /** The value of the cookie of the login. */
  readonly secret: string
  /** The part of the account that the person wanted to see. */
  readonly to: string | undefined
  readonly hasUsedCode: boolean
}

/** The form with which the login has ended. */
interface LastForm {
  readonly request: HttpRequestWithBody
  readonly form: Form
  readonly reader: PageReader
}

/**
 * Gives the browser its login. An earlier login of the browser ends. The person goes on to the page
 * or the part of the account that they wanted to see, after the recovery codes if these are new.
 */
export async function welcome<U>(
  done: NewLogin,
  { request, form, reader }: LastForm,
  parts: LoginPageParts<U>,
): Promise<HttpAnswer> {
  await endLogin(request, parts)
  const { wanted, done: said } = parts.cookies
  const page = accountName(wanted.read(request))
  const part = page === undefined ? done.to && `#${done.to}` : `/${page}`
  const next = `${reader.brand.base}/account${part ?? ''}`

  const { recoveryCodes: codes } = done
  const account = form.get('account') ?? ''
  const answer = codes ? codesPage(reader, { codes, account, next }) : seeOther(next)
  return withCookies(answer, [
    ...loginCookies(done, parts),
    ...(page === undefined ? [] : [wanted.cleared]),
    ...(done.hasUsedCode ? [said.set(usedCode, usedSeconds)] : []),
  ])
}

/** Long enough to load the page of the account, which says that a code was used. */
const usedSeconds = 60

/** Returns the name of a part or a page of the account; undefined for anything else. */
export function accountName(text: string | null | undefined): string | undefined {
  return text && /^[a-z-]{1,20}$/.test(text) ? text : undefined
}
