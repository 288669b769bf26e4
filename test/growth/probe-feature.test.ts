// Measures how many existing lines and files a new feature, grant and credential scheme change. A
// copy of the source gets all three: the files in `probe/`, and a few lines in existing files. The
// copy must build and work on both databases.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')
const probe = join(import.meta.dirname, 'probe')

/** The lines that are added to each file, each with the existing line before it. */
type Additions = Readonly<Record<string, readonly (readonly [after: string, added: string])[]>>

const server = 'packages/server/src'
const feature: Additions = {
  [`${server}/server/features.ts`]: [
    [
      `import * as password from '../features/credentials/password/feature.ts'`,
      `import * as probe from '../features/operations/probe/feature.ts'`,
    ],
    ['password.PasswordOptions,', 'probe.ProbeOptions,'],
    ['| typeof oauth.feature', '| typeof probe.feature'],
    ['password.feature,', 'probe.feature,'],
  ],
  [`${server}/server/wire/routes.ts`]: [
    [
      `import { sessionRoutes } from '../../features/tokens/sessions/routes.ts'`,
      `import { probeRoutes } from '../../features/operations/probe/routes.ts'`,
    ],
    [
      '...sessionRoutes(ends),',
      '...probeRoutes({ database: accounts.database, limits, meter, clock: options.clock }),',
    ],
  ],
  [`${server}/server/commands.ts`]: [
    [
      `import * as login from '../features/sign-in/login/store.ts'`,
      `import * as probe from '../features/operations/probe/store.ts'`,
    ],
    ['login,', 'probe,'],
  ],
  [`${server}/storage/migrate.ts`]: [
    [
      `import * as schemaMark from './migrations/0016-schema-mark.ts'`,
      `import * as probe from './migrations/9000-probe.ts'`,
    ],
    [`'0016-schema-mark': contracts(schemaMark, 16),`, `'9000-probe': expands(probe),`],
  ],
}

const grant: Additions = {
  [`${server}/features/tokens/oauth/grants.ts`]: [
    [
      `import { passwordGrant, type PasswordGrantParts } from './grants/password.ts'`,
      `import { probeGrant } from './grants/probe.ts'`,
    ],
    ['clientCredentialsGrant,', 'probeGrant,'],
  ],
}

const schemes = 'packages/keystile/src/guard/schemes.ts'
const scheme: Additions = {
  [schemes]: [
    [`import { bearer } from './schemes/bearer.ts'`, `import { probe } from './schemes/probe.ts'`],
  ],
}

/** Adds lines to files of the copy. */
function addLines(copy: string, additions: Additions): void {
  for (const [file, lines] of Object.entries(additions)) {
    const path = join(copy, file)
    const text = readFileSync(path, 'utf8').split('\n')
    for (const [follows, added] of lines) {
      const found = text.flatMap((line, index) => (line.trim() === follows ? [index] : []))
      assert.equal(found.length, 1, `${file} has ${found.length} lines: ${follows}`)
      text.splice((found[0] ?? 0) + 1, 0, added)
    }
    writeFileSync(path, text.join('\n'))
  }
}

/** Replaces a text that must occur once in a file of the copy. */
function replace(copy: string, file: string, before: string, replacement: string): void {
  const path = join(copy, file)
  const parts = readFileSync(path, 'utf8').split(before)
  assert.equal(parts.length, 2, `${file} must contain once: ${before}`)
  writeFileSync(path, parts.join(replacement))
}

/**
 * Adds the feature's room to the plan of rooms. That plan is not counted as changed source, because
 * it only says what the sources may import.
 */
function addRoom(copy: string): void {
  const room = {
    name: 'features/operations/probe',
    for: 'an example',
    from: ['storage', 'http', 'feature', 'features/operations/audit', 'features/operations/limits'],
    packages: ['keystile'],
  }
  const next = `{\n      name: 'features/users/scopes',`
  replace(copy, 'tools/rooms.ts', next, `${JSON.stringify(room)}, ${next}`)
}

/**
 * Copies what the build and the tests need. Imports of the two packages lead to the copy, all other
 * imports to the packages that this repository has installed.
 */
function copySource(copy: string): void {
  const isSource = (path: string): boolean => !/[/\\](?:node_modules|dist|bundle)$/.test(path)
  for (const name of ['packages', 'test/flows', 'test/runtimes', 'tools', 'docs', 'package.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: isSource })
  for (const name of ['tsconfig.base.json', 'tsconfig.json'])
    cpSync(join(root, name), join(copy, name))

  const modules = join(copy, 'node_modules')
  mkdirSync(join(modules, '@keystile'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!['keystile', '@keystile'].includes(name))
      symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  symlinkSync(join(copy, 'packages/keystile'), join(modules, 'keystile'), 'junction')
  symlinkSync(join(copy, 'packages/server'), join(modules, '@keystile/server'), 'junction')
}

const skipLong = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'

/** A part of the title of one test in each flow. These tests run in the copy on both databases. */
const flowTests = {
  registration: 'returns 201 with the user and the user’s URL',
  login: 'a login with the right password gets a token',
  refresh: 'a refresh returns new tokens of the same session',
  sessions: 'shows devices, last use and the current session',
  management: 'changes scopes and roles, and the next login gets them',
} as const

describe(
  'a copy of the source with a new feature, grant and credential scheme',
  { concurrency: 3 },
  () => {
    let copy: string

    /** Runs Node in the copy. Returns its output, also after a failure. */
    async function run(
      args: readonly string[],
      env: Readonly<Record<string, string>> = {},
    ): Promise<string> {
      const { NODE_TEST_CONTEXT: _, KEYSTILE_LONG: __, ...inherited } = process.env
      try {
        const options = { cwd: copy, env: { ...inherited, ...env }, maxBuffer: 16 * 1024 * 1024 }
        const { stdout, stderr } = await promisify(execFile)(
          process.execPath,
          ['--conditions=source', ...args],
          options,
        )
        return stdout + stderr
      } catch (error) {
        const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
        return `FAILED\n${stdout}${stderr}`
      }
    }
    const passes = async (args: readonly string[]): Promise<string> => {
      const output = await run(args)
      assert.ok(!output.startsWith('FAILED'), output)
      return output
    }

    before(async () => {
      copy = mkdtempSync(join(tmpdir(), 'keystile-growth-'))
      copySource(copy)
      cpSync(probe, copy, { recursive: true })
      addLines(copy, feature)
      addLines(copy, grant)
      addLines(copy, scheme)
      replace(copy, schemes, '[bearer]', '[bearer, probe]')
      addRoom(copy)
      await passes(['tools/reference-pages.ts'])
    })
    after(() => rmSync(copy, { recursive: true, force: true }))

    it('a new feature adds at most ten lines to at most four existing files', () => {
      assert.ok(Object.keys(feature).length <= 4)
      assert.ok(Object.values(feature).flat().length <= 10)
    })

    it('a new grant adds two lines to a file, and a new credential scheme adds one line', () => {
      for (const additions of [grant, scheme]) assert.equal(Object.keys(additions).length, 1)
      assert.equal(Object.values(grant).flat().length, 2)
      // The import is the only new line. The name of the scheme is added to the existing line of
      // the list.
      assert.equal(Object.values(scheme).flat().length, 1)
    })

    it('with a new feature, the source compiles', async () => {
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      await passes([tsc, '-b', '--singleThreaded', 'packages/server'])
    })

    it('check-rooms.ts accepts a new feature if its plan lists the feature’s folder', async () => {
      const output = await run(['tools/check-rooms.ts'])
      assert.match(output, /\d+ files/)
      assert.doesNotMatch(output, /probe/)
    })

    it('a new feature, grant and credential scheme work on SQLite and PostgreSQL', async () => {
      await passes(['--test', 'test/growth/probe.ts'])
    })

    it('with a new feature, the tests of features still pass', { skip: skipLong }, async () => {
      await passes(['--test', `${server}/server/*.test.ts`, `${server}/feature/*.test.ts`])
    })

    it('with a new feature, tests of existing flows still pass', { skip: skipLong }, async () => {
      const flows = Object.keys(flowTests).map((name) => `test/flows/${name}.test.ts`)
      const output = await passes([
        '--test',
        `--test-name-pattern=${Object.values(flowTests).join('|')}`,
        ...flows,
      ])
      for (const title of Object.values(flowTests))
        assert.ok(output.includes(title), `there is no test: ${title}`)
    })

    it('the help and the error messages name the setting of a new feature', async () => {
      const main = `${server}/cli/main.ts`
      const [help, faults] = await Promise.all([
        run([main, 'help']),
        run([main, 'config', 'check'], { KEYSTILE_PROBE_SECONDS: '1' }),
      ])
      assert.match(help, /^ {2}probe count /m)
      assert.match(help, /--probe-seconds/)
      assert.match(help, /KEYSTILE_PROBE_SECONDS/)
      assert.match(faults, /^FAILED[^]*KEYSTILE_PROBE_SECONDS must be at least 60; it is 1/)
    })

    it('the settings page shows the setting of a new feature', () => {
      const page = readFileSync(join(copy, 'docs/reference/settings.md'), 'utf8')
      assert.match(
        page,
        /^\| `probeSeconds` \| app, server \| `KEYSTILE_PROBE_SECONDS` \| `--probe-seconds` \| 86400 \|/m,
      )
    })
  },
)
