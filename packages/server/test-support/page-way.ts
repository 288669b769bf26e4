// The login pages as a way in, for the tables of all ways: what a page shows becomes the members
// that an endpoint answers.
import { issuer, type Answer, type TestKeystile } from './keystile.ts'
import { openBrowser, type PageBrowser } from './page-browser.ts'
import type { Fields, WayIn } from './second-factor.ts'

/** The browser of each attempt: an attempt goes on only there. */
const browsers = new WeakMap<TestKeystile, Map<string, PageBrowser>>()

export const loginPages: WayIn = (running, fields) => loginPagesIn(openBrowser, running, fields)

/** @param open opens the browser of a new attempt */
export async function loginPagesIn(
  open: (running: TestKeystile) => PageBrowser | Promise<PageBrowser>,
  running: TestKeystile,
  { auth_session, username, password, ...factors }: Fields,
): Promise<Answer> {
  const known = browsers.get(running) ?? new Map<string, PageBrowser>()
  browsers.set(running, known)
  const browser = known.get(auth_session ?? '') ?? (await open(running))
  if (auth_session === undefined) {
    await browser.open('/login')
    const shown = await send(browser, '/login', { username, password })
    // A page of an enrolment asks for its own codes first.
    const takesFactor = / name="otp"/.test(shown.text) && Object.keys(factors).length > 0
    if (!takesFactor) return membersOf(shown, browser, known)
    const { attempt } = attemptIn(shown)
    return membersOf(await send(browser, '/login/factor', { attempt, ...factors }), browser, known)
  }
  const answer = await send(browser, '/login/factor', { attempt: auth_session, ...factors })
  return membersOf(answer, browser, known)
}

function send(
  browser: PageBrowser,
  path: string,
  fields: Readonly<Record<string, string | undefined>>,
): Promise<Answer> {
  const form = Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  return browser.request('POST', path, { form, headers: { origin: new URL(issuer).origin } })
}

function attemptIn({ text }: Answer): { readonly attempt: string | undefined } {
  return { attempt: / name="attempt" value="([^"]+)"/.exec(text)?.[1] }
}

function membersOf(answer: Answer, browser: PageBrowser, known: Map<string, PageBrowser>): Answer {
  const { status, text, headers } = answer
  const isIn = headers.getSetCookie().some((cookie) => cookie.includes('keystile-login'))
  const { attempt } = attemptIn(answer)
  if (attempt !== undefined) known.set(attempt, browser)
  const methods = ['otp', 'recovery_code'].filter((name) => text.includes(`"${name}"`))
  const codes = [...text.matchAll(/<li>([\w-]{19})<\/li>/g)].map(([, code]) => code)
  const json = {
    auth_session: attempt,
    methods,
    ...(text.includes(' name="email_code"') && { email_code: true }),
    ...(text.includes('name="enrol"') && { enrol: ['totp'] }),
    secret: /secret=([A-Z2-7]{32})/.exec(text)?.[1],
    ...(codes.length > 0 && { recovery_codes: codes }),
  }
  const next = attempt !== undefined && status === 200 ? 403 : status
  return { ...answer, status: isIn ? 200 : next, json }
}
