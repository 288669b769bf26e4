// Walks the pages of a stand-alone server with a brand, and compares what they show with the texts
// beside the pictures in docs/pictures. To take the pictures again, in light and in dark:
//
//   KEYSTILE_TAKE_PICTURES=1 npm test -- test/docs/page-pictures.test.ts
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import * as OTPAuth from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { startServer } from '../../packages/server/test-support/command.ts'
import { startMailServer } from '../../packages/server/test-support/mail-server.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { comparePicture, textOf } from './pictures.ts'

const username = 'ada'
const password = 'an engine of her own'
const devices = {
  laptop: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  phone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 ' +
    '(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1',
}
const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="80" height="80">
<path d="M20 4 35 36H27.5L20 19 12.5 36H5z" fill="#7a1fa2"/>
<path d="M14.5 31h11L20 25z" fill="#ff8a00"/></svg>`

/** The pictures are small, so that the documentation is. */
const small = { deviceScaleFactor: 0.75 } as const

/** What differs from run to run, and what the pictures show instead. */
const madeUp: readonly (readonly [pattern: string, shown: string])[] = [
  [String.raw`http://localhost:\d+`, 'https://login.acme.example'],
  [String.raw`localhost:\d+`, 'login.acme.example'],
  [String.raw`token=[\w-]{43}`, 'token=kC4vhGQ1hrRdnMEI4VIHNd8FaxQjVf-EqNI4IghaYrk'],
  [String.raw`\b\d{4} \d{4}\b`, '1949 3612'],
  [String.raw`\d+ \w+ 20\d\d`, '1 December 2026'],
  [String.raw`\d\d:\d\d UTC`, '14:32 UTC'],
  [String.raw`Last used: .*`, 'Last used: now'],
]
const secret = 'K5XW4Z3PMRUGKYLEONUGC2LSMVZXI6LP'
const codes = `
7kq2-m4xd-hn6t-w3pc b5rj-92vf-kd7m-xq4h tn3w-c8hy-4mfz-6jrb x6pd-qk2n-v7tj-m9hc
4whz-r3bx-9kqf-d2tn jm8c-t5vk-2xhr-q7wd hf4n-6zqp-b3kw-c9mt qd7x-w2jr-m5th-4vkz
9rbk-h6mc-xt3n-p8wf vz2t-k4hq-7jdm-n6xr`

/** The parts of the DOM that functions in the page use. Node's types have none. */
interface ShownNode {
  readonly nodeType: number
  data: string
}
declare const document: {
  querySelectorAll(selector: string): Iterable<{
    textContent: string
    readonly childNodes: Iterable<ShownNode>
  }>
}

it(
  'the pictures of the pages in docs/pictures show the pages as they are',
  { skip: skipWithoutBrowser(), timeout: 300_000 },
  async (t) => {
    const browser = await startBrowser()
    t.after(() => browser.close())
    const cwd = mkdtempSync(join(tmpdir(), 'keystile-pictures-'))
    t.after(() => rmSync(cwd, { recursive: true }))
    const logoFile = join(cwd, 'logo.png')
    writeFileSync(logoFile, await drawLogo(browser))
    const mailServer = await startMailServer()
    t.after(() => mailServer.close())
    const server = await startServer({
      cwd,
      env: {
        KEYSTILE_APP_NAME: 'Acme Shop',
        KEYSTILE_APP_COLOR: '#7a1fa2',
        KEYSTILE_APP_LOGO_FILE: logoFile,
        KEYSTILE_TERMS_URL: 'https://acme.example/terms',
        KEYSTILE_PRIVACY_URL: 'https://acme.example/privacy',
        KEYSTILE_MAIL_URL: mailServer.url,
        KEYSTILE_MAIL_FROM: 'Acme Shop <no-reply@acme.example>',
        KEYSTILE_REMEMBER_FACTOR_DAYS: '30',
      },
    })
    t.after(() => server.stop())
    const body = JSON.stringify({ username, email: 'ada@example.com', password })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${server.url}/users`, { method: 'POST', headers, body })
    assert.equal(answer.status, 201)

    const page = await openLogin(browser, server.url, devices.laptop)
    await picture(page, 'page-login')
    await logIn(page)
    await page.getByRole('link', { name: 'Confirm the address' }).click()
    await page.getByRole('button', { name: 'Send a new code' }).click()
    const { parsed } = (await mailServer.received(1)).at(-1) ?? {}
    await page
      .getByLabel('Code from the mail')
      .fill(/\d{4} \d{4}/.exec(parsed?.text ?? '')?.[0] ?? '')
    await page.getByRole('button', { name: 'Confirm the address' }).click()

    await page.getByRole('link', { name: 'Set up Authenticator app' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    const own = (await page.locator('.secret').innerText()).replaceAll(/\s/g, '')
    await picture(page, 'page-enrol')
    const app = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(own) })
    await page.getByLabel('Code from the app').fill(app.generate())
    await page.getByRole('button', { name: 'Switch it on' }).click()
    const [first = '', second = ''] = await page.locator('.codes li').allInnerTexts()
    await picture(page, 'page-recovery-codes')

    const phone = await openLogin(browser, server.url, devices.phone)
    await logIn(phone)
    await useRecoveryCode(phone, first)
    await page.context().clearCookies()
    await page.goto(`${server.url}/login`)
    await logIn(page)
    await picture(page, 'page-factor')
    await useRecoveryCode(page, second)
    await page.setViewportSize({ width: 880, height: 900 })
    await picture(page, 'page-account')

    const image = `data:image/png;base64,${parsed?.attachments[0]?.content.toString('base64')}`
    const mail = await browser.newPage({ ...small, viewport: { width: 600, height: 600 } })
    await mail.setContent((parsed?.html || '').replace(/cid:[^"]+/, image))
    await picture(mail, 'page-mail')
  },
)

async function drawLogo(browser: Browser): Promise<Buffer> {
  const page = await browser.newPage()
  await page.setContent(logo)
  return page.locator('svg').screenshot({ omitBackground: true })
}

async function openLogin(browser: Browser, url: string, userAgent: string): Promise<Page> {
  const viewport = { width: 640, height: 480 }
  const page = await browser.newPage({ ...small, locale: 'en', userAgent, viewport })
  await page.goto(`${url}/login`)
  return page
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('User name or e-mail address').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

async function useRecoveryCode(page: Page, code: string): Promise<void> {
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill(code)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('heading', { name: 'Your account' }).waitFor()
}

/** Compares what a page shows, or takes a picture of it in light and in dark. */
async function picture(page: Page, name: string): Promise<void> {
  await page.evaluate(
    ({ madeUp, codes, groups }) => {
      for (const element of document.querySelectorAll('main *, footer *, td *'))
        for (const node of element.childNodes)
          for (const [pattern, shown] of node.nodeType === 3 ? madeUp : [])
            node.data = node.data.replace(new RegExp(pattern, 'g'), shown)
      for (const [selector, texts] of [
        ['.codes li', codes],
        ['.secret span', groups],
      ] as const)
        for (const [at, element] of [...document.querySelectorAll(selector)].entries())
          element.textContent = texts[at] ?? ''
    },
    { madeUp, codes: codes.trim().split(/\s+/), groups: secret.match(/.{4}/g) ?? [] },
  )
  await comparePicture({
    name,
    text: await textOf(page),
    async take(path) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({ path: `${path}-${colorScheme}.png`, fullPage: true })
      }
    },
  })
}
