// Uses the React example as a person would: Vite serves the page, the API runs too, and a real
// browser registers, calls the API, reloads, logs out and logs in. The example runs in a copy of
// the repository that was never built, like a fresh clone. It has its own packages. Installing them
// takes a while, so `npm test` leaves this test out; `npm run test:long` runs it.
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { freePort } from '../packages/server/test-support/command.ts'
import { skipWithoutBrowser, startBrowser } from '../test/support/browser.ts'
import { copyRepository, pack } from '../test/support/packed.ts'

const vite = 'node_modules/vite/bin/vite.js'
const person = { username: 'ada', email: 'ada@example.com', password: 'an engine of her own' }
const skip = process.env['KEYSTILE_LONG'] ? skipWithoutBrowser() : 'KEYSTILE_LONG=1 runs it'

describe('examples/react', { skip }, () => {
  const children: ChildProcess[] = []
  const data = mkdtempSync(join(tmpdir(), 'keystile-react-'))
  const folder = join(data, 'repository/examples/react')
  let url: string
  let browser: Browser
  let page: Page
  const faults: string[] = []

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
  const press = (name: string): Promise<void> => page.getByRole('button', { name }).click()

  async function fill({ username, password, email = '' }: Partial<typeof person>): Promise<void> {
    await page.getByLabel('User name').fill(username ?? '')
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(password ?? '')
  }

  it('examples/react shows the error message of a refused registration', async () => {
    await page.goto(url)
    await fill({ ...person, password: 'short' })
    await press('Register')
    await says('Password should')
  })

  it('examples/react registers a user, calls the API, stays signed in and logs out', async () => {
    await fill(person)
    await press('Register')
    await press('Load items')
    await says('ada: lamp, chair')

    await page.reload()
    await press('Load items')
    await says('ada: lamp, chair')

    const ended = page.waitForResponse((answer) => answer.request().method() === 'DELETE')
    await press('Log out')
    await ended
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    assert.equal(await page.getByRole('status').textContent(), '', 'data of the last user')
    await page.reload()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
  })

  it('examples/react logs in, or shows the error message for a wrong password', async () => {
    await fill({ username: 'ada', password: 'not her password' })
    await press('Log in')
    await says('Incorrect username or password')
    await fill({ username: 'ada', password: person.password })
    await press('Log in')
    await press('Load items')
    await says('ada: lamp, chair')
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
