// A browser for tests: it keeps cookies, follows redirects, and sends the forms of pages.
import assert from 'node:assert/strict'
import { formTokenName } from '../src/features/pages/account-pages/field-names.ts'
import { createPageCookies } from '../src/features/sign-in/browser-login/page-cookies.ts'
import { issuer, type Answer, type TestKeystile } from './keystile.ts'

const { origin, pathname: base } = new URL(issuer)

export interface PageBrowser {
  /** The cookies by name. A test may read, change and copy them. */
  readonly cookies: Map<string, string>
  /** The page that the browser shows. */
  readonly shown: () => Answer
  /** The path of this page below the issuer. */
  readonly at: () => string
  open(path: string): Promise<Answer>
  /**
   * Fills in a form of the page, and sends it.
   *
   * @param button the name and value of the pressed button, if it has them
   */
  submit(fields?: Fields, options?: SubmitOptions): Promise<Answer>
  /** Returns a function that sends the last form again, as Back and Reload do. */
  keepForm(): () => Promise<Answer>
  /**
   * Sends a request with the cookies, as another page might cause it. A form without a token gets
   * the one that a page for these cookies has.
   */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
}

type Fields = Readonly<Record<string, string>>
interface SubmitOptions {
  readonly button?: readonly [name: string, value: string]
  /**
   * Which form: the first whose action ends with this. Default: the first one of the sheet that
   * posts. The one above the sheet logs out.
   */
  readonly action?: string
  /** Whether it is the last of these forms. */
  readonly isLast?: boolean
}
interface RequestOptions {
  readonly form?: Fields
  readonly headers?: Readonly<Record<string, string>>
}

export function openBrowser({ send }: Pick<TestKeystile, 'send'>): PageBrowser {
  const cookies = new Map<string, string>()
  let shown: Answer | undefined
  let at = ''
  let sent: readonly [path: string, form: Fields] | undefined

  async function request(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const formToken = createPageCookies(issuer).formToken({ headers: { get: () => cookie } })
    const form = options.form && { [formTokenName]: formToken, ...options.form }
    const answer = await send(method, path, {
      ...options,
      ...(form && { form }),
      headers: { accept: 'text/html', ...(cookie && { cookie }), ...options.headers },
    })
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (/; Max-Age=0(;|$)/.test(set)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  async function go(method: string, path: string, options?: RequestOptions): Promise<Answer> {
    shown = await request(method, path, options)
    at = path
    const location = shown.headers.get('location')
    if (shown.status !== 303 || location === null) return shown
    return go('GET', below(location))
  }

  const post = (path: string, form: Fields): Promise<Answer> =>
    go('POST', path, { form, headers: { origin } })

  return {
    cookies,
    shown: () => shown ?? assert.fail('open a page first'),
    at: () => at,
    request,
    open: (path) => go('GET', path),
    async submit(fields = {}, { button, action = '', isLast = false } = {}) {
      const { text } = shown ?? assert.fail('open a page first')
      const forms = formsIn(action === '' ? text.slice(text.indexOf('<main')) : text)
      const found = forms.filter((one) => one.action.endsWith(action))
      const form = found.at(isLast ? -1 : 0) ?? assert.fail('no form')
      const values = { ...form.values, ...fields, ...(button && { [button[0]]: button[1] }) }
      const target = new URL(form.action, `${issuer}${at}`)
      sent = [below(target.pathname + target.search), values]
      return post(...sent)
    },
    keepForm() {
      const [path, form] = sent ?? assert.fail('send a form first')
      return () => post(path, form)
    },
  }
}

/** Returns a path of this host as a path below the issuer. */
function below(path: string): string {
  assert.ok(path.startsWith(base), path)
  return path.slice(base.length)
}

function formsIn(html: string): readonly { readonly action: string; readonly values: Fields }[] {
  return [...html.matchAll(/<form[^>]*method="post"[^>]*>[^]*?<\/form>/g)].map(([form]) => {
    const inputs = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
      attribute(input, 'name'),
      attribute(input, 'value'),
    ])
    return {
      action: attribute(form, 'action'),
      values: Object.fromEntries(inputs) as Fields,
    }
  })
}

function attribute(element: string, name: string): string {
  return new RegExp(` ${name}="([^"]*)"`).exec(element)?.[1] ?? ''
}
