// Each flow of the login pages in a real browser, from start to end, at each place where the pages
// can stand. The browser runs no scripts.
import assert from 'node:assert/strict'
import { after, before, it, type TestContext } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { describeOnBoth, password } from '../../packages/server/test-support/keystile.ts'
import { appCode } from '../../packages/server/test-support/second-factor.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { openSite, places, skipPlace, type Place, type Site } from '../support/site.ts'

const skip = skipWithoutBrowser()
const newPassword = 'purple monkey dishwasher'
const ada = { username: 'ada', email: 'ada@example.com', password }

interface Walk extends Site {
  readonly page: Page
  readonly context: BrowserContext
  /** Opens a page of another browser. */
  another(): Promise<Page>
}

const heading = (page: Page): Promise<string> => page.getByRole('heading', { level: 1 }).innerText()
const press = (page: Page, name: string | RegExp): Promise<void> =>
  page.getByRole('button', { name }).or(page.getByRole('link', { name })).first().click()

/** Fills in the fields of a page by their labels, and presses a button. */
async function fill(
  page: Page,
  fields: Readonly<Record<string, string>>,
  button: string,
): Promise<string> {
  for (const [label, value] of Object.entries(fields))
    await page.getByLabel(label, { exact: true }).fill(value)
  await page.getByRole('button', { name: button, exact: true }).click()
  return heading(page)
}

async function enter({ url }: Site, page: Page, word = password): Promise<string> {
  await page.goto(`${url}/login`)
  const fields = { 'User name or e-mail address': 'ada', Password: word }
  return fill(page, fields, 'Log in')
}

async function leave({ url }: Site, page: Page): Promise<void> {
  await page.goto(`${url}/logout`)
  assert.equal(await fill(page, {}, 'Log out'), 'You are logged out')
}

async function addAda({ keystile }: Site): Promise<void> {
  await keystile.users?.create({ ...ada, emailVerified: true })
}

/** Reads the secret on a page, and confirms it. Returns the secret and the recovery codes. */
async function confirmApp({
  page,
  clock,
}: Walk): Promise<{ readonly secret: string; readonly codes: readonly string[] }> {
  const secret = (await page.locator('.secret').innerText()).replaceAll(/\s/g, '')
  const fields = { 'Code from the app': appCode(secret, clock) }
  assert.equal(await fill(page, fields, 'Switch it on'), 'Save your recovery codes')
  const codes = await page.locator('.codes li').allInnerTexts()
  assert.equal(codes.length, 10)
  await page.getByLabel('I have saved the codes').check()
  await press(page, 'Continue')
  return { secret, codes }
}

interface Flow {
  readonly name: string
  readonly options?: object
  walk(walk: Walk): Promise<void>
}

const flows: readonly Flow[] = [
  {
    name: 'logs in, and out',
    async walk(walk) {
      const { page, url } = walk
      await addAda(walk)
      assert.equal(await enter(walk, page, 'wrong'), 'Log in')
      assert.match(await page.getByRole('alert').innerText(), /The name or the password is wrong/)
      assert.equal(await enter(walk, page), 'Your account')
      await press(page, 'Log out')
      assert.equal(await heading(page), 'You are logged out')
      await press(page, 'Log in again')
      assert.equal(new URL(page.url()).pathname, new URL(`${url}/login`).pathname)
    },
  },
  {
    name: 'sets up an app, and logs in with a code, and with a recovery code',
    options: { secondFactor: 'optional' },
    async walk(walk) {
      const { page, url, clock } = walk
      await addAda(walk)
      await enter(walk, page)
      await press(page, 'Set up Authenticator app')
      await press(page, 'Continue')
      const { secret, codes } = await confirmApp(walk)
      assert.equal(await heading(page), 'Your account')
      await leave(walk, page)

      clock.advance(30)
      assert.equal(await enter(walk, page), 'Enter your code')
      await fill(page, { 'Code from the app': '000000' }, 'Continue')
      assert.match(await page.getByRole('alert').innerText(), /This code is wrong/)
      const code = { 'Code from the app': appCode(secret, clock) }
      assert.equal(await fill(page, code, 'Continue'), 'Your account')

      await leave(walk, page)
      await enter(walk, page)
      await press(page, 'Use a recovery code')
      const recovery = { 'Recovery code': codes[0] ?? '' }
      assert.equal(await fill(page, recovery, 'Continue'), 'Your account')
      await page.getByText(/^9 codes left\. Made on /).waitFor()

      await page.goto(`${url}/account/recovery-codes`)
      await press(page, 'Make new codes')
      assert.equal(await heading(page), 'Save your recovery codes')
      await page.goto(`${url}/account/remove-app`)
      await press(page, 'Remove the app')
      assert.match(await page.getByRole('status').innerText(), /The authenticator app is removed/)
    },
  },
  {
    name: 'logs out, and the history of the browser does not log in again',
    options: { secondFactor: 'optional', rememberFactorDays: 30 },
    async walk(walk) {
      const { page, url, clock } = walk
      await addAda(walk)
      await enter(walk, page)
      await press(page, 'Set up Authenticator app')
      await press(page, 'Continue')
      const { secret } = await confirmApp(walk)
      await leave(walk, page)

      clock.advance(30)
      await enter(walk, page)
      await page.getByRole('checkbox').check()
      const code = { 'Code from the app': appCode(secret, clock) }
      assert.equal(await fill(page, code, 'Continue'), 'Your account')
      await leave(walk, page)

      await page.goBack()
      await page.goBack()
      // The page of the code is the answer to the form with the password. Chromium sends the form
      // again only when the person reloads the page.
      await assert.rejects(page.goBack(), /ERR_CACHE_MISS/)
      await page.waitForURL('chrome-error://chromewebdata/')
      await page.reload()
      assert.equal(await heading(page), 'The login has expired')
      await page.goto(`${url}/account`)
      assert.equal(await heading(page), 'Log in')
    },
  },
  {
    name: 'sets up the app that the account must have, within the login',
    options: { secondFactor: 'required', emailVerification: 'optional' },
    async walk(walk) {
      const { page, mailTo, register } = walk
      assert.equal((await register()).status, 201)
      assert.equal(await enter(walk, page), 'Check your mail')
      const { code } = await mailTo(ada.email)
      await fill(page, { 'Code from the mail': code }, 'Continue')
      await confirmApp(walk)
      assert.equal(await heading(page), 'Your account')
    },
  },
  {
    name: 'logs in again before a change that needs it, and deletes the account',
    async walk(walk) {
      const { page, url, clock, login } = walk
      await addAda(walk)
      await enter(walk, page)
      clock.advance(301)
      await press(page, 'Delete my account …')
      assert.equal(await heading(page), 'Is it you?')
      await fill(page, { Password: password }, 'Continue')
      assert.equal(page.url(), `${url}/account#delete`)
      await press(page, 'Delete my account …')
      await press(page, 'Delete my account')
      assert.equal(await heading(page), 'Your account is deleted')
      assert.equal((await login()).status, 400)
    },
  },
  {
    name: 'changes the address and the password',
    options: { emailVerification: 'optional' },
    async walk(walk) {
      const { page, mailTo } = walk
      await addAda(walk)
      await enter(walk, page)
      await press(page, 'Change E-mail address')
      const address = { 'New e-mail address': 'ada@new.example', 'Current password': password }
      await fill(page, address, 'Change the address')
      const { code } = await mailTo('ada@new.example')
      await fill(page, { 'Code from the mail': code }, 'Confirm the address')
      assert.match(await page.getByRole('status').innerText(), /address is changed/)

      await press(page, 'Change Password')
      const words = { 'Current password': password, 'New password': newPassword }
      await fill(page, words, 'Change the password')
      assert.match(await page.getByRole('status').innerText(), /password is changed/)
      await leave(walk, page)
      assert.equal(await enter(walk, page, newPassword), 'Your account')
    },
  },
  {
    name: 'logs out on other devices',
    async walk(walk) {
      const { page, url, another } = walk
      await addAda(walk)
      const others = [await another(), await another()] as const
      for (const other of others) assert.equal(await enter(walk, other), 'Your account')
      await enter(walk, page)
      const [first, second] = others
      await page
        .getByRole('button', { name: /^Log out ./ })
        .first()
        .click()
      assert.equal(await page.getByRole('status').innerText(), 'The device is logged out.')
      await press(page, 'Log out on all other devices')
      await press(page, 'Log out the others')
      for (const other of [first, second]) {
        await other.goto(`${url}/account`)
        assert.equal(await heading(other), 'Log in')
      }
      await page.reload()
      assert.equal(await heading(page), 'Your account')
    },
  },
  {
    name: 'sets a new password by mail, and logs in with it',
    async walk(walk) {
      const { page, url, mailTo } = walk
      await addAda(walk)
      await page.goto(`${url}/login`)
      await press(page, 'Forgot your password?')
      await fill(page, { 'User name or e-mail address': 'ada' }, 'Send the mail')
      const { message } = await mailTo(ada.email)
      await page.goto(/^http\S+token=\S+$/m.exec(message.text)?.[0] ?? '')
      const done = await fill(page, { 'New password': newPassword }, 'Set the password')
      assert.equal(done, 'Your password is set')
      assert.equal(await enter(walk, page, newPassword), 'Your account')
    },
  },
  {
    name: 'accepts an invitation, and logs in',
    options: { registration: 'closed' },
    async walk(walk) {
      const { page, keystile, mailTo } = walk
      await keystile.users?.invite({ email: ada.email })
      const { message } = await mailTo(ada.email)
      await page.goto(/^http\S+token=\S+$/m.exec(message.text)?.[0] ?? '')
      await page.getByLabel('User name').fill('ada')
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button').click()
      assert.equal(await heading(page), 'Your account is ready')
      assert.equal(await enter(walk, page), 'Your account')
    },
  },
]

describeOnBoth('the login pages, in a browser', (stage) => {
  let browser: Browser | undefined
  before(async () => {
    if (!skip) browser = await startBrowser()
  })
  after(() => browser?.close())

  async function start(t: TestContext, place: Place, options?: object): Promise<Walk> {
    assert.ok(browser)
    const site = await openSite(t, stage, place, options)
    const openContext = async (): Promise<BrowserContext> => {
      const context = await browser!.newContext({
        locale: 'en',
        javaScriptEnabled: false,
        ignoreHTTPSErrors: true,
      })
      t.after(() => context.close())
      return context
    }
    const context = await openContext()
    return {
      ...site,
      context,
      page: await context.newPage(),
      another: async () => (await openContext()).newPage(),
    }
  }

  for (const place of places)
    for (const { name, options, walk } of flows)
      it(`${place}, a person ${name}`, { skip: skip || skipPlace(place) }, async (t) => {
        const walking = await start(t, place, options)
        const { context, other } = walking
        const neighbour = other && (await context.newPage())
        if (other && neighbour) {
          await other.addUser()
          await neighbour.goto(`${other.keystile.issuer}/login`)
          const fields = { 'User name or e-mail address': 'ada', Password: password }
          assert.equal(await fill(neighbour, fields, 'Log in'), 'Your account')
          await walking.page.goto(`${walking.url}/account`)
          assert.equal(await heading(walking.page), 'Log in')
        }
        await walk(walking)
        // The flow has changed nothing at the other issuer.
        await neighbour?.reload()
        if (neighbour) assert.equal(await heading(neighbour), 'Your account')
      })
})
