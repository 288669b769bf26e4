// Uses the React example as a person would: Vite serves the page, the API runs too, and a real
// browser registers, confirms the mail, calls the API, logs out, logs in, sets a new password, and
// uses a second factor.
// The example runs in a copy of the repository that was never built, like a fresh clone. It has its
// own packages. Installing them takes a while, so `npm test` leaves this test out; `npm run
// test:long` runs it.
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createAuthenticatorApp } from 'keystile/testing'
import type { Browser, Page } from 'playwright-core'
import { freePort } from '../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../test/support/browser.ts'
import { copyRepository, pack } from '../test/support/packed.ts'

const vite = 'node_modules/vite/bin/vite.js'
const person = { username: 'ada', email: 'ada@example.com', password: 'an engine of her own' }

/** What a person reads in a mail. */
interface Mail {
  readonly link: string
  readonly code: string
}

const skip = process.env['KEYSTILE_LONG'] ? skipWithoutBrowser() : 'KEYSTILE_LONG=1 runs it'

describe('examples/react', { skip }, () => {
  const children: ChildProcess[] = []
  const data = mkdtempSync(join(tmpdir(), 'keystile-react-'))
  const folder = join(data, 'repository/examples/react')
  let url: string
  let browser: Browser
  let page: Page
  const faults: string[] = []
  let phone: ReturnType<typeof createAuthenticatorApp>
  let recoveryCodes: readonly string[]

  before(async () => {
    copyRepository(data, ['examples/react'])
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'pipe' })
    const env = {
      ...process.env,
      PORT: String(await freePort()),
      API_PORT: String(await freePort()),
    }
    url = `http://localhost:${env.PORT}`
    await start(['--conditions=source', join(folder, 'api.ts')], data, env)
    await start([vite], folder, env)

    browser = await startBrowser()
    page = await browser.newPage()
    page.on('pageerror', (error) => faults.push(String(error)))
  })
  after(async () => {
    await browser?.close()
    for (const child of children) {
      child.kill()
      await once(child, 'exit')
    }
    rmSync(data, { recursive: true })
  })

  /** Starts a program, and waits until it prints something. */
  async function start(args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    await once(child.stdout, 'data')
  }

  const says = (text: string): Promise<void> => page.getByText(text).waitFor()
  const press = (name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click()
  const fill = async (values: Readonly<Record<string, string>>): Promise<void> => {
    for (const [label, value] of Object.entries(values))
      await page.getByLabel(label, { exact: true }).fill(value)
  }

  /** Waits for a mail to an address, and returns its code and its link. */
  async function readMail(address: string, subject: string): Promise<Mail> {
    for (;;) {
      const text = await (await fetch(`${url}/auth/dev/mail`)).text()
      const mail = text
        .split('<article>')
        .find((one) => one.includes(`To ${address}`) && one.includes(subject))
      const [, link] = /href="(http[^"]+)"/.exec(mail ?? '') ?? []
      const [code] = /^\d{4} \d{4}$/m.exec(mail ?? '') ?? []
      if (link !== undefined && code !== undefined) return { link, code }
      await delay(50)
    }
  }

  it('examples/react shows the error message of a refused registration', async () => {
    await page.goto(url)
    await press('Register')
    await fill({ 'User name': person.username, 'E-mail': person.email, 'New password': 'short' })
    await press('Register')
    await says('should have at least')
  })

  it('examples/react registers a user with the code from a mail, and calls the API', async () => {
    await fill({ 'New password': person.password })
    await press('Register')
    const { code } = await readMail(person.email, 'Finish your registration')
    await fill({ Code: '0000 0000' })
    await press('Confirm your address')
    await says('The link or the code is wrong')
    await fill({ Code: code })
    await press('Confirm your address')
    await press('Load items')
    await says('ada: lamp, chair')
  })

  it('examples/react stays signed in after a reload, and logs out', async () => {
    await page.reload()
    await press('Load items')
    await says('ada: lamp, chair')

    const ended = page.waitForResponse((answer) => answer.request().method() === 'DELETE')
    await press('Log out')
    await ended
    await page.getByLabel('Password').waitFor()
    assert.equal(await page.getByText('lamp').count(), 0, 'data of the last user')
    await page.reload()
    await page.getByLabel('Password').waitFor()
  })

  it('examples/react logs in, or shows the error message for a wrong password', async () => {
    await fill({ 'User name': 'ada', Password: 'not her password' })
    await press('Log in')
    await says('Incorrect username or password')
    await fill({ Password: person.password })
    await press('Log in')
    await press('Load items')
    await says('ada: lamp, chair')
    await press('Log out')
  })

  it('examples/react sets a new password with the code from a mail', async () => {
    await press('Forgot your password?')
    await fill({ 'User name or e-mail': person.email })
    await press('Forgot your password?')
    await page.getByLabel('Code').waitFor()
    const { code } = await readMail(person.email, 'Set a new password')
    await fill({ Code: code, 'New password': 'short' })
    await press('Set a new password')
    await says('should have at least')
    await fill({ 'New password': 'purple monkey dishwasher' })
    await press('Set a new password')
    await says('Your password is set')
    await fill({ 'User name': 'ada', Password: 'purple monkey dishwasher' })
    await press('Log in')
    await press('Load items')
    await says('ada: lamp, chair')
  })

  it('examples/react sets up an authenticator app, and a route asks for its code', async () => {
    await press('Sell items')
    await says('The account must have a second factor')
    await press('Second factor')
    await press('Set up an authenticator app')
    const picture = page.getByAltText('QR code of the authenticator app')
    await picture.waitFor()
    assert.ok(
      await picture.evaluate(
        (image) => (image as unknown as { naturalWidth: number }).naturalWidth,
      ),
    )
    phone = createAuthenticatorApp(await page.locator('code').innerText())
    await fill({ Code: '000000' })
    await press('Confirm the app')
    await says('The code is wrong')
    await fill({ Code: phone.code() })
    await press('Confirm the app')
    recoveryCodes = (await page.locator('pre').innerText()).split('\n')
    assert.equal(recoveryCodes.length, 10)
    await press('I have kept them')
    assert.equal(await page.getByText('must have a second factor').count(), 0)

    await press('Sell items')
    await page.getByLabel('Code').waitFor()
    await press('Cancel')
    await says('A stronger login is needed')
    await press('Sell items')
    await fill({ Code: '000000' })
    await press('Send the code')
    await says('Incorrect code')
    await fill({ Code: phone.code(new Date(Date.now() + 30_000)) })
    await press('Send the code')
    await says('ada: nothing left')
  })

  it('examples/react logs in with a recovery code, or asks again after a wrong code', async () => {
    await press('Log out')
    await fill({ 'User name': 'ada', Password: 'purple monkey dishwasher' })
    await press('Log in')
    await fill({ Code: '000000' })
    await press('Send the code')
    await says('Incorrect code')
    await press('Use a recovery code')
    await fill({ 'Recovery code': recoveryCodes[0] ?? '' })
    await press('Use a recovery code')
    await press('Sell items')
    await says('ada: nothing left')
  })

  it('a user of examples/react can register by the link of a mail, and then log in', async () => {
    await press('Log out')
    await press('Register')
    const bob = { username: 'bob', email: 'bob@example.com' }
    const { password } = person
    await fill({ 'User name': bob.username, 'E-mail': bob.email, 'New password': password })
    await press('Register')
    await page.getByLabel('Code').waitFor()
    await page.goto((await readMail(bob.email, 'Finish your registration')).link)
    await fill({ Password: password })
    await press('Create the account')
    await says('Your account is ready')
    await page.goto(url)
    await fill({ 'User name': bob.username, Password: password })
    await press('Log in')
    await press('Load items')
    await says('bob: lamp, chair')
  })

  it('examples/react keeps its tokens out of reach of scripts, and throws no error', async () => {
    const kept = await page.evaluate('JSON.stringify([document.cookie, { ...localStorage }])')
    assert.equal(kept, '["",{}]')
    assert.deepEqual(faults, [])
  })

  it('examples/react builds for production', () => {
    run(folder, vite, 'build')
  })

  it('examples/react compiles and builds with the packages as npm installs them', () => {
    const project = join(data, 'project')
    cpSync(folder, project, { recursive: true })
    const forPacking = join(data, 'packing')
    mkdirSync(forPacking)
    const { keystile = '' } = pack(forPacking)
    cpSync(keystile, join(project, 'node_modules/keystile'), { recursive: true })

    run(project, join(import.meta.dirname, '../node_modules/typescript/bin/tsc'), '-p', '.')
    run(project, vite, 'build')
  })

  function run(cwd: string, ...args: string[]): Buffer {
    return execFileSync(process.execPath, args, { cwd, stdio: 'pipe' })
  }
})
