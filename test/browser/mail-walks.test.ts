// Each flow that a mail completes, from start to end, as a person in Germany uses it: the
// development mailbox, the link, the page, and what works afterwards. The browser runs no scripts.
// The codes are sent as an app sends them, with keystile/client. The test is slow, so `npm test`
// leaves it out.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { after, afterEach, before, it } from 'node:test'
import { createClient, type ApiClient } from 'keystile/client'
import { mount } from 'keystile/node'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import * as z from 'zod'
import { freePort } from '../../packages/server/test-support/command.ts'
import {
  describeOnBoth,
  password,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { axeFaults } from '../support/page-faults.ts'

const skip = process.env['KEYSTILE_LONG'] ? skipWithoutBrowser() : 'KEYSTILE_LONG=1 runs it'
const newPassword = 'purple monkey dishwasher'
const ada = { username: 'ada', email: 'ada@example.com', password }
const newEmail = 'ada@new.example'

/** What a person reads in a mail. */
interface Mail {
  readonly text: string
  readonly link: string
  readonly code: string
}

interface Walk extends TestKeystile {
  /** The app of the person. */
  readonly client: ApiClient
  readonly page: Page
  /** Waits for a mail to an address whose link leads to a page, and reads it at /dev/mail. */
  readMail(address: string, pageName: string): Promise<Mail>
  /** Fills the form of the page that is open, and presses its button. Returns the heading. */
  submit(fields: Readonly<Record<string, string>>): Promise<string>
}

describeOnBoth('a walk through a flow by mail', (stage) => {
  let browser: Browser | undefined
  let server: Server | undefined
  before(async () => {
    if (!skip) browser = await startBrowser()
  })
  after(() => browser?.close())
  afterEach(() => void server?.close())

  /** Starts Keystile on a real socket, and opens a browser without scripts. */
  async function start(options: object): Promise<Walk> {
    const port = await freePort()
    const issuer = `http://localhost:${port}/auth`
    const mail = { mailUrl: 'console:', mailLanguage: 'de' }
    const started = await stage.start({ issuer, ...mail, ...options } as object)
    const answer = mount(started.keystile)
    server = createServer((request, response) => void answer(request, response, () => {}))
    server.listen(port)
    await once(server, 'listening')

    assert.ok(browser)
    const context = await browser.newContext({ locale: 'de', javaScriptEnabled: false })
    const page = await context.newPage()
    return {
      ...started,
      page,
      client: createClient({
        issuer,
        fetch: (input, init) => {
          const headers = new Headers(init?.headers)
          headers.set('accept-language', 'de')
          return fetch(input, { ...init, headers })
        },
      }),
      async readMail(address, pageName) {
        const article = page
          .locator('article', { hasText: `To ${address}` })
          .filter({ hasText: `/account/${pageName}?token=` })
          .first()
        do await page.goto(`${issuer}/dev/mail`)
        while ((await article.count()) === 0)
        const text = await article.innerText()
        return {
          text,
          link: /^http\S+$/m.exec(text)?.[0] ?? '',
          code: /^\d{4} \d{4}$/m.exec(text)?.[0] ?? '',
        }
      },
      async submit(fields) {
        for (const [label, value] of Object.entries(fields)) {
          const field = page.getByLabel(label, { exact: true })
          const isChoice = (await field.locator('option').count()) > 0
          await (isChoice ? field.selectOption({ label: value }) : field.fill(value))
        }
        await page.getByRole('button').click()
        assert.equal(await page.locator('html').getAttribute('lang'), 'de')
        return page.getByRole('heading').innerText()
      },
    }
  }

  async function me(client: ApiClient, { keystile }: Walk): Promise<Record<string, unknown>> {
    const answer = await client.fetch(`${keystile.issuer}/users/me`)
    return (await answer.json()) as Record<string, unknown>
  }

  it('the link or the code of a mail verifies the e-mail address of a user', { skip }, async () => {
    const walk = await start({ emailVerification: 'optional' })
    const { client, page, readMail, submit } = walk
    await client.register(ada)
    await client.login(ada)
    assert.equal((await me(client, walk))['email_verified'], false)

    const { link, text } = await readMail(ada.email, 'verify-email')
    assert.match(text, /Bestätigen Sie Ihre Adresse/)
    await page.goto(link)
    assert.equal(await submit({ Passwort: 'geraten' }), 'Bestätigen Sie Ihre Adresse')
    assert.equal(await page.getByRole('alert').innerText(), 'Das Passwort ist falsch.')
    assert.equal(await submit({ Passwort: password }), 'Ihre Adresse ist bestätigt')
    assert.equal((await me(client, walk))['email_verified'], true)

    const bob = { username: 'bob', email: 'bob@example.com', password }
    const registered = await client.register(bob)
    assert.ok(!registered.isPending && registered.requestId !== undefined)
    const { code } = await readMail(bob.email, 'verify-email')
    await client.login(bob)
    await client.verifyEmail({ requestId: registered.requestId, code })
    assert.equal((await me(client, walk))['email_verified'], true)
  })

  it('the link or the code of a mail turns a registration into an account', { skip }, async () => {
    const walk = await start({ emailVerification: 'required' })
    const { client, page, readMail, submit } = walk
    await client.register(ada)
    await assert.rejects(client.login(ada), { code: 'invalid_grant' })
    const { link } = await readMail(ada.email, 'finish-registration')
    await page.goto(link)
    assert.equal(await submit({ Passwort: password }), 'Ihr Konto ist bereit')
    await client.login(ada)
    assert.equal((await me(client, walk))['email_verified'], true)

    // Another person has the user name by now, so the page asks for another one.
    const bob = { username: 'ada', email: 'bob@example.com', password }
    await client.register(bob)
    await page.goto((await readMail(bob.email, 'finish-registration')).link)
    assert.equal(await submit({ Passwort: password }), 'Schließen Sie Ihre Registrierung ab')
    assert.match(await page.getByRole('alert').innerText(), /ist nicht mehr verfügbar/)
    const fields = { 'Anderer Benutzername': 'bob', Passwort: password }
    assert.equal(await submit(fields), 'Ihr Konto ist bereit')
    await client.login({ username: 'bob', password })

    const carol = { username: 'carol', email: 'carol@example.com', password }
    const registered = await client.register(carol)
    assert.ok(registered.isPending)
    const { code } = await readMail(carol.email, 'finish-registration')
    await client.finishRegistration({ registrationId: registered.registrationId, code })
    await client.login(carol)
  })

  it('a link sets a new mail address; a link in the old mailbox undoes it', { skip }, async () => {
    const walk = await start({ emailVerification: 'optional' })
    const { client, keystile, page, readMail, submit } = walk
    await keystile.users?.create({ ...ada, emailVerified: true })
    await client.login(ada)
    await client.changeEmail({ email: newEmail, password })
    await page.goto((await readMail(newEmail, 'confirm-email-change')).link)
    assert.equal(await submit({ Passwort: password }), 'Ihre Adresse ist geändert')
    assert.equal((await me(client, walk))['email'], newEmail)

    await page.goto((await readMail(ada.email, 'undo-email-change')).link)
    assert.equal(await submit({}), 'Ihre alte Adresse gilt wieder')
    assert.equal((await client.fetch(`${keystile.issuer}/users/me`)).status, 401)
    await assert.rejects(client.login(ada), { code: 'invalid_grant' })
    await page.goto((await readMail(ada.email, 'reset-password')).link)
    await submit({ 'Neues Passwort': newPassword })
    await client.login({ ...ada, password: newPassword })
    assert.equal((await me(client, walk))['email'], ada.email)
  })

  it('the code of a mail changes the e-mail address of a user', { skip }, async () => {
    const walk = await start({ emailVerification: 'required' })
    const { client, keystile, readMail } = walk
    await keystile.users?.create({ ...ada, emailVerified: true })
    await client.login(ada)
    const { requestId } = await client.changeEmail({ email: newEmail, password })
    assert.ok(requestId !== undefined)
    const { code } = await readMail(newEmail, 'confirm-email-change')
    await client.confirmEmailChange({ requestId, code })
    assert.equal((await me(client, walk))['email'], newEmail)
  })

  it('axe finds no accessibility fault on a page with profile fields', { skip }, async () => {
    const profile = z.object({ age: z.int(), plan: z.enum(['free', 'paid']), news: z.boolean() })
    const { keystile, readMail } = await start({ profile })
    await keystile.users?.invite({ email: newEmail })
    const { link } = await readMail(newEmail, 'accept-invitation')
    assert.ok(browser)
    const phone = { locale: 'en', viewport: { width: 320, height: 640 }, isMobile: true }
    const context: BrowserContext = await browser.newContext(phone)
    const page: Page = await context.newPage()
    await page.goto(link)
    await page.getByLabel('plan').selectOption('paid')
    await page.getByLabel('news').selectOption('No')
    await page.getByLabel('age').fill('1.5')
    await page.getByLabel('User name').fill('ada')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button').click()
    await page.getByRole('alert').waitFor()
    assert.equal(await page.getByLabel('plan').inputValue(), '"paid"')

    assert.deepEqual(await axeFaults(page), [])
    for (const label of ['age', 'plan', 'news']) {
      const box = await page.getByLabel(label).boundingBox()
      assert.ok(box && box.height >= 44 && box.width >= 200, `${label}: ${JSON.stringify(box)}`)
    }
    await context.close()
  })

  it('an invited user can join on the page of the link, or with its token', { skip }, async () => {
    const profile = z.object({ age: z.int().meta({ title: 'Alter' }), news: z.boolean() })
    const walk = await start({ registration: 'closed', profile })
    const { client, keystile, page, readMail, submit } = walk
    await keystile.users?.invite({ email: ada.email })
    const { link, text } = await readMail(ada.email, 'accept-invitation')
    assert.match(text, /Einladung/)
    await page.goto(link)
    const fields = { Benutzername: 'ada', Passwort: password, Alter: '1.5', news: 'Ja' }
    await submit(fields)
    assert.match(await page.getByRole('alert').innerText(), /^Das geht so nicht\. .*int/)
    assert.equal(await submit({ Passwort: password, Alter: '36' }), 'Ihr Konto ist angelegt')
    await client.login(ada)
    const { age, news, email_verified } = await me(client, walk)
    assert.deepEqual([age, news, email_verified], [36, true, true])

    await keystile.users?.invite({ email: 'bob@example.com' })
    const { link: second } = await readMail('bob@example.com', 'accept-invitation')
    const token = new URL(second).searchParams.get('token') ?? ''
    const bob = { username: 'bob', password }
    await client.acceptInvitation({ token, ...bob, age: 7, news: false })
    await client.login(bob)
  })
})
