import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../tools/until.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** The environment, except variables of the test runner, of Node and of an installed Keystile. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(KEYSTILE_|DATABASE_URL$|PORT$|NODE_)/.test(name),
  ),
)

interface OldNode {
  readonly binary: string
  readonly version: string
}

/**
 * Finds another Node: KEYSTILE_TEST_OLD_NODE, or the first on the PATH that does not come with this
 * repository.
 */
function findOldNode(): OldNode | { readonly reason: string } {
  const given = process.env['KEYSTILE_TEST_OLD_NODE']
  const folders = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
  const binary = given ?? folders.map((folder) => join(folder, 'node')).find(isExecutable)
  const howTo = 'set KEYSTILE_TEST_OLD_NODE to the binary of a Node 20'
  if (binary === undefined) return { reason: `there is no node on the PATH; ${howTo}` }
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
  if (version === process.version)
    return { reason: `${binary} is ${version}, which runs the tests anyway; ${howTo}` }
  if (Number(version.slice(1).split('.')[0]) < 20)
    return { reason: `${binary} is ${version}, and the library needs 20; ${howTo}` }
  return { binary, version }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const old = findOldNode()
if ('reason' in old) console.error(`\n*** No older Node is tried: ${old.reason}. ***\n`)

/** Builds packages as `npm run build` does. @throws {Error} with what the compiler says */
async function build(...packages: readonly string[]): Promise<void> {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [compiler, '-b', '--singleThreaded', ...packages], {
    cwd: root,
    env: environment,
  }).catch(({ stdout }: { readonly stdout: string }) =>
    assert.fail(`${packages.join(' and ')} cannot be built:\n${stdout}`),
  )
}

let built: Promise<void> | undefined

/** Builds the library and the server once, as `npm run build` does. */
const buildAll = (): Promise<void> => (built ??= buildAllNow())

async function buildAllNow(): Promise<void> {
  await build('packages/keystile', 'packages/server')
  await run(process.execPath, [join(root, 'tools/bundle.ts')], { cwd: root, env: environment })
}

const folder = mkdtempSync(join(tmpdir(), 'keystile-built-'))
before(async () => {
  await build('packages/keystile')
  // One folder with the packages that npm would install, and a second one that also has hono.
  for (const app of ['alone', 'with-hono']) {
    const installed = join(folder, app, 'node_modules/keystile')
    mkdirSync(installed, { recursive: true })
    for (const file of ['package.json', 'dist'])
      cpSync(join(root, 'packages/keystile', file), join(installed, file), { recursive: true })
    cpSync(join(import.meta.dirname, 'smoke.mjs'), join(folder, app, 'smoke.mjs'))
  }
  symlinkSync(join(root, 'node_modules/hono'), join(folder, 'with-hono/node_modules/hono'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const skip = isLong ? false : 'KEYSTILE_LONG=1 runs it'
const nodes = [
  { binary: process.execPath, version: process.version },
  ...('binary' in old ? [old] : []),
]

// The other tests run the library on the Node of this process. So `npm test` runs the built library
// only on the older Node, and with KEYSTILE_LONG=1 on both.
for (const { binary, version } of isLong ? nodes : nodes.slice(-1)) {
  describe(`the built package keystile on Node ${version}`, () => {
    const smoke = (app: string, part: string): Promise<{ stdout: string; stderr: string }> =>
      run(binary, ['smoke.mjs', part], { cwd: join(folder, app), env: environment })

    it('without other packages, keystile signs and verifies JWTs with each algorithm', async () => {
      assert.deepEqual(await smoke('alone', 'jwt'), { stdout: 'ok\n', stderr: '' })
    })

    it('without other packages, keystile guards a node:http app with a shared secret', async () => {
      assert.deepEqual(await smoke('alone', 'node'), { stdout: 'ok\n', stderr: '' })
    })

    it('without other packages, keystile reads the revocations of another server', async () => {
      assert.deepEqual(await smoke('alone', 'feed'), { stdout: 'ok\n', stderr: '' })
    })

    it('keystile/client signs in, refreshes, and sends no token after a redirect', async () => {
      assert.deepEqual(await smoke('alone', 'client'), { stdout: 'ok\n', stderr: '' })
    })

    it('without other packages, `keystile token check` says why a token is refused', async () => {
      const main = join(folder, 'alone/node_modules/keystile/dist/cli/main.js')
      const flags = ['--issuer', 'https://auth.example', '--audience', 'orders']
      const child = spawn(binary, [main, 'token', 'check', ...flags], { env: environment })
      child.stdin.end('abc')
      const [said] = await Promise.all([text(child.stdout), once(child, 'close')])
      assert.match(said, /^refused: malformed_token\n/)
      assert.equal(child.exitCode, 1)
    })

    it('keystile guards a Hono app with a shared secret', async () => {
      assert.deepEqual(await smoke('with-hono', 'hono'), { stdout: 'ok\n', stderr: '' })
    })
  })
}

describe('the package keystile', () => {
  it('keystile has no dependencies and publishes only its build', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages/keystile/package.json'), 'utf8'))
    assert.equal(manifest.dependencies, undefined)
    assert.equal(manifest.optionalDependencies, undefined)
    assert.deepEqual(manifest.files, ['dist', '!dist/.tsbuildinfo', 'CHANGELOG.md'])
  })

  it(
    'the tests in this file ran on an older Node and on the current Node',
    { skip: 'reason' in old && old.reason },
    (t) => {
      t.diagnostic(nodes.map(({ version }) => `Node ${version}`).join(', '))
      assert.equal(nodes.length, 2)
    },
  )
})

describe('the packages in their published form', () => {
  before(buildAll)
  const publint = 'publint/src/cli.js'
  const attw = '@arethetypeswrong/cli/dist/index.js'

  async function runTool(name: string, tool: string, ...args: readonly string[]): Promise<void> {
    const command = [join(root, 'node_modules', tool), ...args]
    const cwd = join(root, 'packages', name)
    await run(process.execPath, command, { cwd, env: environment }).catch(
      ({ stdout }: { stdout: string }) => assert.fail(stdout),
    )
  }

  for (const name of ['keystile', 'server']) {
    it(`publint finds no fault in the package ${name}`, () => runTool(name, publint))

    // attw resolves each entry point as several kinds of importers do. test/types/doors.test.ts
    // resolves each of them as an ES module does.
    it(`attw finds no fault in the package ${name}`, { skip }, () =>
      runTool(name, attw, '--pack', '.', '--profile', 'esm-only'),
    )
  }
})

describe('@keystile/server on a Node that is too old', () => {
  before(buildAll)

  it(
    'on an old Node, @keystile/server and its command say which Node they need',
    { skip: 'reason' in old && old.reason },
    async () => {
      assert.ok('binary' in old)
      const needed = /@keystile\/server: Node must be 24\.15 or newer; it is \d+\.\d+\.\d+\. Fix: /
      const code = `import('@keystile/server').then(({ createKeystile }) => createKeystile({
        issuer: 'http://localhost:3000', database: ':memory:' }))`
      const calls = [
        ['-e', code],
        [join(root, 'packages/keystile/dist/cli/main.js'), 'serve'],
      ]
      for (const args of calls)
        await run(old.binary, args, { cwd: join(root, 'packages/server'), env: environment }).then(
          () => assert.fail('the program must end with an error'),
          ({ stderr }: { readonly stderr: string }) => assert.match(stderr, needed),
        )
    },
  )
})

describe('keystile.cjs', () => {
  const launcher = join(root, 'packages/server/bin/keystile.cjs')
  const needed = [24, 15] as const
  before(buildAll)

  it('keystile.cjs answers a login, prints no error and stops at a signal', async () => {
    const port = await freePort()
    const data = mkdtempSync(join(folder, 'server-'))
    const flags = [
      '--port',
      String(port),
      '--database',
      join(data, 'keystile.db'),
      '--log-file',
      join(data, 'log'),
    ]
    const server = spawn(process.execPath, [launcher, 'serve', ...flags], {
      cwd: data,
      env: environment,
    })
    const kill = (): void => void server.kill('SIGKILL')
    process.once('exit', kill)
    try {
      const said = Promise.all([text(server.stdout), text(server.stderr)])
      const exited = once(server, 'exit')
      const ready = await until(async () =>
        server.exitCode === null
          ? fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
          : 'ended',
      )
      const statuses =
        ready !== 'ended'
          ? [ready.status, ...(await registerAndLogIn(`http://127.0.0.1:${port}`))]
          : []
      server.kill('SIGTERM')
      const [code] = await exited
      const [stdout, stderr] = await said
      assert.equal(stderr, '')
      assert.match(stdout, new RegExp(`Keystile listens on http://localhost:${port}`))
      assert.equal(code, 0)
      assert.deepEqual(statuses, [200, 201, 200, 200], '/readyz, /users, /token, /users/me')
    } finally {
      kill()
      process.off('exit', kill)
    }
  })

  const tooOld = 'binary' in old && !isAtLeast(old.version, needed) ? old : undefined
  const reason = 'reason' in old ? old.reason : `${old.version} is new enough for the server`
  it(
    'keystile.cjs on an older Node names the Node that it needs and exits with 1',
    { skip: !tooOld && reason },
    async () => {
      await assert.rejects(
        run(tooOld!.binary, [launcher, 'serve'], { cwd: folder, env: environment }),
        (error) => {
          const { code, stdout, stderr } = error as {
            code?: unknown
            stdout?: string
            stderr?: string
          }
          assert.deepEqual([code, stdout], [1, ''])
          assert.equal(
            stderr,
            `keystile: Node must be 24.15 or newer; ${realpathSync(tooOld!.binary)} is ` +
              `${tooOld!.version.slice(1)}. Fix: install a newer version from https://nodejs.org\n`,
          )
          return true
        },
      )
    },
  )
})

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.slice(1).split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/** Returns the statuses of POST /users, POST /token and GET /users/me. */
async function registerAndLogIn(url: string): Promise<readonly number[]> {
  const ada = { username: 'ada', password: 'an engine of her own' }
  const registered = await fetch(`${url}/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...ada, email: 'ada@example.com' }),
  })
  const token = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(ada) })
  const { access_token } = (await token.json()) as { readonly access_token?: string }
  const me = await fetch(`${url}/users/me`, {
    headers: { authorization: `Bearer ${access_token}` },
  })
  return [registered.status, token.status, me.status]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
