// What each page of the login and of the account holds in a browser, in each of its states: axe, a
// phone, the keyboard, its weight. The pages come from the OpenAPI document, and each of their
// forms is sent empty and with wrong values, so a new page is looked at as well.
import assert from 'node:assert/strict'
import { after, before, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import * as z from 'zod'
import { describeOnOne, password } from '../../packages/server/test-support/keystile.ts'
import { listPages } from '../../packages/server/test-support/pages.ts'
import { appCode } from '../../packages/server/test-support/second-factor.ts'
import { skipWithoutBrowser, startBrowser } from '../support/browser.ts'
import { axeFaults, keyboardFaults, layoutFaults, layoutShift } from '../support/page-faults.ts'
import { openSite, type Site } from '../support/site.ts'

const languages = ['en', 'de', 'fr', 'es'] as const
const maxBytes = 30 * 1024
const skip = skipWithoutBrowser()

interface Form {
  noValidate: boolean
  closest(selector: string): unknown
  readonly elements: Iterable<{ readonly type: string; value: string }>
  submit(): void
}
declare const document: { readonly forms: Iterable<Form & { readonly method: string }> }

/** Fills each field with a value, and sends the form without the checks of the browser. */
async function send(page: Page, index: number, value: string): Promise<void> {
  await Promise.all([
    page.waitForNavigation(),
    page.evaluate(
      ([index, value]) => {
        const form = [...document.forms].filter(
          (one) => one.method === 'post' && one.closest('main'),
        )[index]!
        for (const field of form.elements)
          if (!['hidden', 'submit', 'checkbox'].includes(field.type)) field.value = value
        form.submit()
      },
      [index, value] as const,
    ),
  ])
}

/** Counts the forms of the sheet. The one above it logs out. */
const countForms = (page: Page): Promise<number> => page.locator('main form[method=post]').count()

async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.locator(`#${name}`).fill(value)
  await page.locator('main form[method=post] button:not([name])').first().click()
}

/** A site, and a person of its own for each state. */
interface World extends Site {
  newPerson(fields?: { readonly emailVerified?: boolean }): Promise<string>
}

async function enter({ url }: World, page: Page, username: string): Promise<void> {
  await page.context().clearCookies()
  await page.goto(`${url}/login`)
  await fill(page, { username, password })
}

/** Sets up an app, up to the recovery codes. Returns its secret. */
async function setUpApp(world: World, page: Page, username: string): Promise<string> {
  await enter(world, page, username)
  await page.goto(`${world.url}/account/app`)
  await fill(page, {})
  const secret = (await page.locator('.secret').innerText()).replaceAll(/\s/g, '')
  await fill(page, { code: appCode(secret, world.clock) })
  return secret
}

interface State {
  readonly name: string
  readonly options?: object
  show(world: World, page: Page): Promise<void>
}

/** States that a page does not show by itself, nor after wrong values. */
const states: readonly State[] = [
  {
    name: 'the secret of the app',
    async show(world, page) {
      await enter(world, page, await world.newPerson())
      await page.goto(`${world.url}/account/app`)
      await fill(page, {})
    },
  },
  {
    name: 'the recovery codes',
    show: async (world, page) => void (await setUpApp(world, page, await world.newPerson())),
  },
  {
    name: 'the code of the app',
    async show(world, page) {
      const person = await world.newPerson()
      await setUpApp(world, page, person)
      await enter(world, page, person)
    },
  },
  {
    name: 'a wrong code',
    async show(world, page) {
      const person = await world.newPerson()
      await setUpApp(world, page, person)
      await enter(world, page, person)
      await fill(page, { otp: '000000' })
    },
  },
  {
    name: 'a wrong recovery code',
    async show(world, page) {
      const person = await world.newPerson()
      await setUpApp(world, page, person)
      await enter(world, page, person)
      await page.locator('button[name=show]').click()
      await fill(page, { recovery_code: 'x' })
    },
  },
  {
    name: 'an account with an app',
    async show(world, page) {
      const person = await world.newPerson()
      const secret = await setUpApp(world, page, person)
      await enter(world, page, person)
      world.clock.advance(30)
      await fill(page, { otp: appCode(secret, world.clock) })
      await page.goto(`${world.url}/account`)
    },
  },
  {
    name: 'a login that took too long',
    async show(world, page) {
      const person = await world.newPerson()
      await setUpApp(world, page, person)
      await enter(world, page, person)
      world.clock.advance(601)
      await fill(page, { otp: '000000' })
    },
  },
  {
    name: 'no cookies',
    async show({ url, newPerson }, page) {
      await page.goto(`${url}/login`)
      await page.context().clearCookies()
      await fill(page, { username: await newPerson(), password })
    },
  },
  {
    name: 'a login that is too old for a change',
    async show(world, page) {
      await enter(world, page, await world.newPerson())
      world.clock.advance(301)
      await page.goto(`${world.url}/account/delete`)
      await fill(page, { password: 'wrong' })
    },
  },
  {
    name: 'a code to the address, before the app is set up in the login',
    options: { secondFactor: 'required' },
    async show(world, page) {
      await enter(world, page, await world.newPerson({ emailVerified: false }))
      await fill(page, { email_code: '1' })
    },
  },
  {
    name: 'too many tries',
    options: { rateLimits: 'on' },
    async show(world, page) {
      const username = await world.newPerson()
      for (let tries = 0; tries < 30; tries++)
        await world.send('POST', '/token', {
          form: { grant_type: 'password', username, password: 'wrong' },
          remoteAddress: '127.0.0.1',
        })
      await page.goto(`${world.url}/login`)
      await fill(page, { username, password: 'wrong' })
    },
  },
]

describeOnOne('SQLite', 'the pages of the login and of the account', (stage) => {
  let browser: Browser | undefined
  before(async () => {
    if (!skip) browser = await startBrowser()
  })
  after(() => browser?.close())

  async function start(t: TestContext, options: object = {}): Promise<World> {
    const site = await openSite(t, stage, 'alone', {
      secondFactor: 'optional',
      emailVerification: 'optional',
      registration: 'open',
      profile: z.object({ city: z.string().min(2).optional() }),
      termsUrl: 'https://app.example/terms',
      ...options,
    })
    let count = 0
    return {
      ...site,
      async newPerson(fields) {
        const username = `person${++count}`
        const person = { username, email: `${username}@example.com`, password }
        await site.keystile.users?.create({ ...person, emailVerified: true, ...fields })
        return username
      },
    }
  }
  async function openPhone(t: TestContext, locale: string): Promise<Page> {
    assert.ok(browser)
    const viewport = { width: 320, height: 640 }
    const context = await browser.newContext({ locale, viewport, isMobile: true })
    t.after(() => context.close())
    return context.newPage()
  }

  /** Returns what looks at a page, once for each of its states. */
  function createLook(language: string): (page: Page, name: string) => Promise<void> {
    const seen = new Set<string>()
    return async (page, name) => {
      const html = await page.content()
      const state = html.replaceAll(/<style>[^]*?<\/style>| (value|href|id)="[^"]*"|\d+/g, '')
      if (seen.has(state)) return
      seen.add(state)
      const bytes = gzipSync(html).byteLength
      assert.ok(bytes <= maxBytes, `${name} has ${bytes} bytes`)
      const lang = await page.locator('html').getAttribute('lang')
      assert.equal(lang, language, `${name}: ${await page.locator('body').innerText()}`)
      assert.equal(await layoutShift(page), 0, name)
      assert.deepEqual(await keyboardFaults(page), [], name)
      assert.deepEqual(await layoutFaults(page), [], name)
      assert.deepEqual(await axeFaults(page), [], name)
    }
  }

  for (const language of languages) {
    it(`each page in ${language} has no fault, nor after wrong values`, { skip }, async (t) => {
      const world = await start(t)
      const page = await openPhone(t, language)
      const look = createLook(language)
      const { opened } = listPages(world)
      for (const path of opened) {
        await page.context().clearCookies()
        await page.goto(world.url + path)
        await look(page, path)
        const isOpen = new URL(page.url()).pathname === path
        for (const emailVerified of [true, false]) {
          const open = async (): Promise<number> => {
            if (isOpen) await page.context().clearCookies()
            else await enter(world, page, await world.newPerson({ emailVerified }))
            await page.goto(world.url + path)
            return countForms(page)
          }
          const forms = await open()
          await look(page, path)
          for (let index = 0; index < forms; index++)
            for (const value of ['', 'x'])
              if ((await open()) > index) {
                await send(page, index, value)
                await look(page, `${path} after "${value}"`)
              }
          if (isOpen) break
        }
      }
    })

    for (const [options, group] of Map.groupBy(states, (state) => state.options)) {
      const names = group.map(({ name }) => name).join(', ')
      it(`the pages in ${language} have no fault after: ${names}`, { skip }, async (t) => {
        const world = await start(t, options)
        const page = await openPhone(t, language)
        const look = createLook(language)
        for (const { name, show } of group) {
          await page.context().clearCookies()
          await show(world, page)
          await look(page, name)
        }
      })
    }
  }

  it('a person logs in with a code by keyboard alone', { skip }, async (t) => {
    const world = await start(t)
    const person = await world.newPerson()
    const page = await openPhone(t, 'en')
    const secret = await setUpApp(world, page, person)
    world.clock.advance(30)
    await page.context().clearCookies()
    await page.goto(`${world.url}/login`)
    const goTo = async (selector: string): Promise<void> => {
      for (let steps = 0; steps < 10; steps++) {
        if ((await page.locator(`${selector}:focus`).count()) > 0) return
        await page.keyboard.press('Tab')
      }
      assert.fail(`Tab does not lead to ${selector}`)
    }
    await goTo('#username')
    await page.keyboard.type(person)
    await goTo('#password')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await page.locator('#otp').waitFor()
    await goTo('#otp')
    await page.keyboard.type('000000')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await goTo('#otp')
    await page.keyboard.type(appCode(secret, world.clock))
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
  })

  it('after a log-out, the button "back" shows no page of the account', { skip }, async (t) => {
    const world = await start(t)
    const page = await openPhone(t, 'en')
    await enter(world, page, await world.newPerson())
    await page.goto(`${world.url}/account/email`)
    await page.goto(`${world.url}/account`)
    await page.goto(`${world.url}/logout`)
    await fill(page, {})
    const shown = new Set<string>()
    for (let steps = 0; steps < 4; steps++) {
      await page.goBack()
      shown.add(await page.getByRole('heading', { level: 1 }).innerText())
    }
    assert.ok(shown.has('Log in'))
    for (const heading of shown) assert.match(heading, /^(Log in|Log out|You are logged out)$/)
  })
})
