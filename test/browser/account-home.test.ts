// The page of an account in a real browser, on the stand-alone server.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import * as OTPAuth from 'otpauth'
import { startServer } from '../../packages/server/test-support/command.ts'
import { until } from '../../tools/until.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { axeFaults, layoutFaults } from '../support/page-faults.ts'

const password = 'an engine of her own'
const skip = skipWithoutBrowser()

it(
  'in a browser, a person sets up an app, and axe finds no fault',
  {
    skip,
  },
  async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'keystile-account-'))
    const env = { KEYSTILE_MAIL_URL: 'console:', KEYSTILE_EMAIL_VERIFICATION: 'optional' }
    const server = await startServer({ cwd, env })
    const browser = await startBrowser()
    t.after(async () => {
      await browser.close()
      await server.stop()
      rmSync(cwd, { recursive: true })
    })
    const registered = await fetch(`${server.url}/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ada', email: 'ada@example.com', password }),
    })
    assert.equal(registered.status, 201)

    const viewport = { width: 320, height: 640 }
    const context = await browser.newContext({
      locale: 'en',
      viewport,
      isMobile: true,
    })
    const page = await context.newPage()
    /** Looks at the page, then presses a button or a link of it. */
    async function press(name: string | RegExp): Promise<void> {
      const heading = await page.getByRole('heading', { level: 1 }).innerText()
      assert.deepEqual([await axeFaults(page), await layoutFaults(page)], [[], []], heading)
      await page.getByRole('link', { name }).or(page.getByRole('button', { name })).click()
    }
    const heading = (): Promise<string> => page.getByRole('heading', { level: 1 }).innerText()
    const mails = async (): Promise<readonly string[]> => {
      const answer = await fetch(`${server.url}/dev/mail`, { headers: { accept: 'text/html' } })
      return (await answer.text()).match(/\b\d{4} \d{4}\b/g) ?? []
    }

    const form = new URLSearchParams({ grant_type: 'password', username: 'ada', password })
    for (const _device of [1, 2])
      assert.equal((await fetch(`${server.url}/token`, { method: 'POST', body: form })).status, 200)
    await page.goto(`${server.url}/login`)
    await page.getByLabel('User name or e-mail address').fill('ada')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button').click()
    assert.equal(await heading(), 'Your account')

    await page.getByRole('button', { name: 'Log out node' }).first().click()
    assert.equal(await page.getByRole('status').innerText(), 'The device is logged out.')
    await press('Log out on all other devices')
    await press('Log out the others')

    const before = await until(async () => (await mails()).length > 0 && mails())
    await press('Confirm the address')
    await press('Send a new code')
    await page
      .getByLabel('Code from the mail')
      .fill(await until(async () => (await mails()).find((code) => !before.includes(code))))
    await press('Confirm the address')
    assert.match(await page.getByRole('status').innerText(), /is confirmed/)

    await press('Set up Authenticator app')
    await press('Continue')
    const secret = (await page.locator('.secret').innerText()).replaceAll(/\s/g, '')
    const app = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(secret) })
    await page.getByLabel('Code from the app').fill('000000')
    await press('Switch it on')
    assert.match(await page.getByRole('alert').innerText(), /This code is wrong/)
    assert.equal((await page.locator('.secret').innerText()).replaceAll(/\s/g, ''), secret)
    const first = app.generate()
    await page.getByLabel('Code from the app').fill(first)
    await press('Switch it on')
    assert.equal(await page.locator('.codes li').count(), 10)
    const codes = await page.locator('.codes li').allInnerTexts()
    await page.getByLabel('I have saved the codes').check()
    await press('Continue')

    // The account needs a code from now on, and this browser has proved one.
    assert.equal(await heading(), 'Your account')
    await page.getByText('10 codes left').waitFor()
    await page.getByRole('button', { name: 'Log out', exact: true }).click()
    await press('Log in again')
    await page.getByLabel('User name or e-mail address').fill('ada')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button').click()
    await page.getByRole('button', { name: 'Use a recovery code' }).click()
    await page.getByLabel('Recovery code').fill(codes[0] ?? '')
    await page.getByRole('button', { name: 'Continue' }).click()
    assert.equal(await heading(), 'Your account')
    await page.getByText(/^9 codes left\. Made on /).waitFor()

    for (const [link, back] of [
      [/^Change E-mail address/, 'Back to your account'],
      [/^Change Password/, 'Back to your account'],
      [/^Remove Authenticator app/, 'Back to your account'],
      [/^Make new ones Recovery codes/, 'Back to your account'],
      [/^Delete my account …/, 'Keep my account'],
    ] as const) {
      await press(link)
      await press(back)
      assert.equal(await heading(), 'Your account')
    }
  },
)
