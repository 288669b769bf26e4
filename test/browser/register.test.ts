// A registration in a real browser, on the stand-alone server.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startServer, type RunningServer } from '../../packages/server/test-support/command.ts'
import { until } from '../../tools/until.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { axeFaults, layoutFaults } from '../support/page-faults.ts'

const password = 'an engine of her own'
const viewport = { width: 320, height: 640 }

describe('the page of a registration, in a browser', { skip: skipWithoutBrowser() }, () => {
  let cwd: string
  let server: RunningServer
  let browser: Browser

  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-register-'))
    const env = {
      KEYSTILE_MAIL_URL: 'console:',
      KEYSTILE_EMAIL_VERIFICATION: 'required',
      KEYSTILE_TERMS_URL: 'https://shop.example/terms',
      KEYSTILE_PRIVACY_URL: 'https://shop.example/privacy',
    }
    server = await startServer({ cwd, env })
    browser = await startBrowser()
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
    rmSync(cwd, { recursive: true })
  })

  async function openPage(locale: string): Promise<Page> {
    return (await browser.newContext({ locale, viewport, isMobile: true })).newPage()
  }
  const heading = (page: Page): Promise<string> =>
    page.getByRole('heading', { level: 1 }).innerText()

  it('a person registers, confirms the address with the code, and logs in', async () => {
    const page = await openPage('en')
    /** Looks at the page, then presses the button. */
    async function press(name: string): Promise<void> {
      const faults = [await axeFaults(page), await layoutFaults(page)]
      assert.deepEqual(faults, [[], []], await heading(page))
      await page.getByRole('button', { name }).click()
    }

    await page.goto(`${server.url}/login`)
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.getByLabel('User name').fill('-ada')
    await page.getByLabel('E-mail address').fill('ada@example.com')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('checkbox').check()
    await press('Create account')
    assert.match(await page.getByRole('alert').innerText(), /^2 to 63 letters/)
    await page.getByLabel('User name').fill('ada')
    await page.getByLabel('Password').fill(password)
    await press('Create account')

    assert.equal(await heading(page), 'Check your mail')
    // Back opens the page again, and sends no form again.
    await page.goto(`${server.url}/login`)
    await page.goBack()
    assert.equal(await heading(page), 'Check your mail')
    await page.getByText('No mail?').click()
    await page.getByLabel('Code from the mail').fill('0000 0000')
    await press('Continue')
    assert.match(await page.getByRole('alert').innerText(), /The code is wrong/)
    const code = await until(async () => {
      const mails = await fetch(`${server.url}/dev/mail`, { headers: { accept: 'text/html' } })
      return /\b\d{4} \d{4}\b/.exec(await mails.text())?.[0]
    })
    await page.getByLabel('Code from the mail').fill(code)
    await press('Continue')

    assert.equal(await heading(page), 'Log in')
    assert.match(await page.getByRole('status').innerText(), /Your account is ready/)
    await page.getByLabel('Password').fill(password)
    await press('Log in')
    assert.equal(await heading(page), 'Your account')
  })

  for (const language of ['de', 'fr', 'es'])
    it(`axe finds no fault on the page of a registration in ${language}, also with faults`, async () => {
      const page = await openPage(language)
      await page.goto(`${server.url}/register`)
      const faults = [await axeFaults(page), await layoutFaults(page)]
      assert.deepEqual(faults, [[], []])
      await page.locator('form').evaluate((form) => form.setAttribute('novalidate', ''))
      await page.getByRole('button').click()
      assert.equal(await page.getByRole('alert').count(), 1)
      await page.getByRole('checkbox').check()
      await page.locator('form').evaluate((form) => form.setAttribute('novalidate', ''))
      await page.getByRole('button').click()
      assert.ok((await page.getByRole('alert').count()) > 1)
      assert.deepEqual([await axeFaults(page), await layoutFaults(page)], [[], []])
    })
})
