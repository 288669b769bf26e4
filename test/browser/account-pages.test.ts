// The account pages in a real browser, on the stand-alone server: what people do with mouse,
// keyboard and phone, and what axe finds.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { startServer, type RunningServer } from '../../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { axeFaults, layoutFaults } from '../support/page-faults.ts'

const oldPassword = 'an engine of her own'
const newPassword = 'purple monkey dishwasher'
const isLong = Boolean(process.env['KEYSTILE_LONG'])
const languages = ['en', 'de', 'fr', 'es'] as const

/** The pages that links in mails open. Add a page here. */
const linkPages = [
  '/account/reset-password',
  '/account/verify-email',
  '/account/finish-registration',
  '/account/confirm-email-change',
  '/account/undo-email-change',
  '/account/undo-factor',
  '/account/accept-invitation',
]

/** The parts of the DOM that functions in the page use. Node's types have none. */
declare const document: {
  readonly activeElement: { readonly id: string; readonly textContent: string }
}
declare function getComputedStyle(
  element: object,
): Readonly<Record<'outlineStyle' | 'outlineWidth', string>>

describe('the account pages, in a browser', { skip: skipWithoutBrowser() }, () => {
  let cwd: string
  let server: RunningServer
  let browser: Browser

  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-pages-'))
    const env = {
      KEYSTILE_MAIL_URL: 'console:',
      KEYSTILE_EMAIL_VERIFICATION: 'optional',
      KEYSTILE_ACCESS_LOG: 'on',
    }
    server = await startServer({ cwd, env })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
    rmSync(cwd, { recursive: true })
  })

  /** Opens a page in a new context, as on a device of its own. Closes it after the work. */
  async function onDevice<T>(
    options: BrowserContextOptions,
    work: (page: Page) => Promise<T>,
  ): Promise<T> {
    const context = await browser.newContext({ locale: 'en', ...options })
    try {
      return await work(await context.newPage())
    } finally {
      await context.close()
    }
  }
  async function post(path: string, json: object): Promise<number> {
    const body = JSON.stringify(json)
    const headers = { 'content-type': 'application/json' }
    return (await fetch(`${server.url}${path}`, { method: 'POST', headers, body })).status
  }
  async function addUser(username: string): Promise<void> {
    const user = { username, email: `${username}@example.com`, password: oldPassword }
    assert.equal(await post('/users', user), 201)
  }
  async function canLogIn(username: string, password: string): Promise<boolean> {
    const body = new URLSearchParams({ grant_type: 'password', username, password })
    return (await fetch(`${server.url}/token`, { method: 'POST', body })).status === 200
  }
  const open = (page: Page, path: string) => page.goto(`${server.url}${path}`)
  const press = (page: Page): Promise<void> => page.getByRole('button').click()
  const heading = (page: Page): Promise<string> => page.getByRole('heading').innerText()

  async function askFor(page: Page, login: string): Promise<void> {
    await open(page, '/account/forgot-password')
    await page.getByRole('textbox').fill(login)
    await press(page)
  }
  /** Reads the newest mail with a link to a page at /dev/mail: its link and its code. */
  async function readMail(
    page: Page,
    username: string,
    path = '/account/reset-password',
  ): Promise<{ link: string; code: string }> {
    const article = page
      .locator('article', { hasText: `${username}@example.com` })
      .filter({ hasText: `${path}?token=` })
      .first()
    do await open(page, '/dev/mail')
    while ((await article.count()) === 0)
    const text = await article.innerText()
    return {
      link: /^http\S+$/m.exec(text)?.[0] ?? '',
      code: /^\d{4} \d{4}$/m.exec(text)?.[0] ?? '',
    }
  }

  for (const javaScriptEnabled of [true, false])
    it(`${javaScriptEnabled ? 'with' : 'without'} JavaScript, a reset link sets a password`, () =>
      onDevice({ javaScriptEnabled }, async (page) => {
        const username = `link-${javaScriptEnabled}`
        await addUser(username)
        await open(page, '/account/forgot-password')
        assert.equal(await heading(page), 'Forgot your password?')
        await page.getByLabel('User name or e-mail address').fill(username)
        await press(page)
        assert.equal(await heading(page), 'Check your mail')

        const { link, code } = await readMail(page, username)
        await page.goto(link)
        await page.getByLabel('New password').fill('too short')
        await press(page)
        const fault = page.getByRole('alert')
        assert.match(await fault.innerText(), /at least 15 characters/)
        await page.getByLabel('New password').fill(newPassword)
        await press(page)
        assert.equal(await heading(page), 'Your password is set')
        assert.deepEqual(
          [await canLogIn(username, newPassword), await canLogIn(username, oldPassword)],
          [true, false],
        )

        await page.goto(link)
        assert.equal(await heading(page), 'This link does not work any more')
        assert.equal(await page.locator('input').count(), 0)
        await page.getByRole('link', { name: 'Request a new mail' }).click()
        assert.equal(await heading(page), 'Forgot your password?')
        const token = new URL(link).searchParams.get('token') ?? ''
        const log = server.stdout() + server.stderr()
        assert.match(log, /reset-password/)
        for (const secret of [token, code, newPassword]) assert.ok(!log.includes(secret))
      }))

  it('a person can read a reset code on one device and enter the code on another', () =>
    onDevice({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true }, (phone) =>
      onDevice({}, async (desktop) => {
        await addUser('code')
        await askFor(phone, 'code@example.com')
        const { code } = await readMail(desktop, 'code')
        await phone.getByLabel('Code from the mail').fill('0000 0000')
        await phone.getByLabel('New password').fill(newPassword)
        await press(phone)
        assert.match(await phone.getByRole('alert').innerText(), /is wrong/)
        await phone.getByLabel('Code from the mail').fill(code)
        await phone.getByLabel('New password').fill(newPassword)
        await press(phone)
        assert.equal(await heading(phone), 'Your password is set')
        assert.equal(await canLogIn('code', newPassword), true)
      }),
    ))

  it('the account pages can be used with the keyboard alone, and mark the focused element', () =>
    onDevice({}, async (page) => {
      await addUser('keys')
      const assertFocused = async (name: string): Promise<void> => {
        const focused = await page.evaluate(() => {
          const element = document.activeElement
          const { outlineStyle, outlineWidth } = getComputedStyle(element)
          const name = element.id || element.textContent
          return { name, outline: `${outlineStyle} ${outlineWidth}` }
        })
        assert.deepEqual(focused, { name, outline: 'solid 3px' })
      }
      const tab = async (name: string): Promise<void> => {
        await page.keyboard.press('Tab')
        await assertFocused(name)
      }
      const { host } = new URL(server.url) // the first link of a page
      await open(page, '/account/forgot-password')
      await assertFocused('login')
      await page.keyboard.type('keys')
      await tab('Send the mail')
      await page.keyboard.press('Enter')
      await page.getByLabel('Code from the mail').waitFor()
      await onDevice({}, async (other) => {
        const { code } = await readMail(other, 'keys')
        await tab(host)
        await tab('code')
        await page.keyboard.type(code)
      })
      await tab('new_password')
      await page.keyboard.type('short')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()

      // The field with the fault has the focus, and its label, hint and fault are read together.
      const focused = page.locator(':focus')
      assert.equal(await focused.getAttribute('id'), 'new_password')
      assert.equal(
        await focused.getAttribute('aria-describedby'),
        'new_password-fault new_password-hint',
      )
      await page.keyboard.type(newPassword)
      await tab('Set the password')
      await page.keyboard.press('Space')
      await page.getByText('You are logged out on all devices').waitFor()
      assert.equal(await canLogIn('keys', newPassword), true)
    }))

  /** Each page and each state of it. `show` leads there. */
  const states: readonly {
    readonly name: string
    show(page: Page, user: string): Promise<unknown>
  }[] = [
    { name: 'the request', show: (page) => open(page, '/account/forgot-password') },
    { name: 'the code', show: (page, user) => askFor(page, user) },
    {
      name: 'a wrong code',
      async show(page, user) {
        await askFor(page, user)
        await page.locator('#code').fill('1')
        await page.locator('#new_password').fill(newPassword)
        await press(page)
      },
    },
    ...linkPages.flatMap((path) => [
      { name: `the wrong link ${path}`, show: (page: Page) => open(page, `${path}?token=x`) },
      { name: `the link ${path} without a token`, show: (page: Page) => open(page, path) },
    ]),
    {
      name: 'a refused password',
      async show(page, user) {
        await addUser(user)
        await post('/password-resets', { login: user })
        await page.goto((await readMail(page, user)).link)
        await page.locator('#new_password').fill('short')
        await press(page)
      },
    },
    {
      name: 'a wrong password',
      async show(page, user) {
        await page.goto((await readMail(page, user, '/account/verify-email')).link)
        await page.locator('#password').fill('wrong')
        await press(page)
      },
    },
    {
      name: 'the end',
      async show(page, user) {
        await page.goto((await readMail(page, user)).link)
        await page.locator('#new_password').fill(newPassword)
        await press(page)
      },
    },
    {
      name: 'too many requests',
      async show(page, user) {
        for (let count = 0; count < 6; count++) await post('/password-resets', { login: user })
        await askFor(page, user)
      },
    },
  ]

  for (const language of languages) {
    // Only the texts differ, so `npm test` tries only English.
    const skip = language === 'en' || isLong ? false : 'KEYSTILE_LONG=1 runs it'
    it(`account pages fit a phone in ${language}, and axe finds no fault`, { skip }, () =>
      onDevice(
        { locale: language, viewport: { width: 320, height: 640 }, isMobile: true },
        async (page) => {
          const headings = new Set<string>()
          for (const { name, show } of states) {
            await show(page, `phone-${language}`)
            headings.add(await heading(page))
            assert.equal(await page.locator('html').getAttribute('lang'), language)
            assert.deepEqual(await axeFaults(page), [], `${name} in ${language}`)
            assert.deepEqual(await layoutFaults(page), [], `${name} in ${language}`)
          }
          assert.ok(headings.size >= 4, [...headings].join())
        },
      ),
    )
  }

  it('the pages for developers fit a phone, and axe finds no fault in them', () =>
    onDevice({ viewport: { width: 320, height: 640 }, isMobile: true }, async (page) => {
      await addUser('start')
      await post('/password-resets', { login: 'start' })
      await readMail(page, 'start')
      for (const path of ['/dev/mail', '/', '/account/none']) {
        await open(page, path)
        assert.deepEqual(await axeFaults(page), [], path)
        assert.deepEqual(await layoutFaults(page), [], path)
      }
      await page.getByRole('link', { name: 'Go to the start page' }).click()
      await page.getByRole('link', { name: '/dev/mail' }).click()
      await page.locator('article', { hasText: 'start@' }).getByRole('link').first().click()
      assert.match(await heading(page), /^(Set a new password|Confirm your address)$/)
    }))
})
