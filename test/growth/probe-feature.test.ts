// How much it takes to add something. A copy of the source gets a feature, a grant and a credential
// scheme: the files in `probe/`, and a few lines in files that are there. It must build, and all
// must work on both databases.
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

/** Lines that a file gets: each with the line that it follows. */
type Additions = Readonly<Record<string, readonly (readonly [after: string, added: string])[]>>

const server = 'packages/server/src'
const feature: Additions = {
  [`${server}/server/features.ts`]: [
    [
      `import * as password from '../features/password/feature.ts'`,
      `import * as probe from '../features/probe/feature.ts'`,
    ],
    ['password.PasswordOptions,', 'probe.ProbeOptions,'],
    ['| typeof oauth.feature', '| typeof probe.feature'],
    ['password.feature,', 'probe.feature,'],
  ],
  [`${server}/server/wire.ts`]: [
    [
      `import { createPasswordPolicy, type PasswordPolicy } from '../features/password-policy/policy.ts'`,
      `import { probeRoutes } from '../features/probe/routes.ts'`,
    ],
    [
      '...sessionRoutes(ends),',
      '...probeRoutes({ database: accounts.database, limits, meter, clock }),',
    ],
  ],
  [`${server}/server/commands.ts`]: [
    [
      `import { commands as loginCommands } from '../features/login/store.ts'`,
      `import { commands as probeCommands } from '../features/probe/store.ts'`,
    ],
    ['...loginCommands,', '...probeCommands,'],
  ],
  [`${server}/storage/migrate.ts`]: [
    [
      `import * as passwordSession from './migrations/0007-password-session.ts'`,
      `import * as probe from './migrations/9000-probe.ts'`,
    ],
    [`'0007-password-session': passwordSession,`, `'9000-probe': probe,`],
  ],
}

const grant: Additions = {
  [`${server}/features/oauth/grants.ts`]: [
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

/** Replaces a text that a file of the copy has once. */
function replace(copy: string, file: string, before: string, replacement: string): void {
  const path = join(copy, file)
  const parts = readFileSync(path, 'utf8').split(before)
  assert.equal(parts.length, 2, `${file} has once: ${before}`)
  writeFileSync(path, parts.join(replacement))
}

/**
 * Adds the room of the feature to the plan, which is no source: it says what the sources may
 * import.
 */
function addRoom(copy: string): void {
  const room = {
    name: 'features/probe',
    for: 'an example',
    from: ['storage', 'http', 'feature', 'features/audit', 'features/limits'],
    packages: ['keystile'],
  }
  const next = `{\n      name: 'features/scopes',`
  replace(copy, 'tools/rooms.ts', next, `${JSON.stringify(room)}, ${next}`)
}

/**
 * Copies what the build and the tests need. The packages find each other, and all else where it is
 * installed.
 */
function copySource(copy: string): void {
  const isSource = (path: string): boolean => !/[/\\](?:node_modules|dist|bundle)$/.test(path)
  for (const name of ['packages', 'test/flows', 'tools', 'docs', 'package.json'])
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

/** A test of each flow that runs in the copy, on both databases. */
const flowTests = {
  registration: 'answers 201 with the public user and where it is',
  login: 'answers a form of username and password with a bearer token',
  refresh: 'answers with new tokens of the same session',
  sessions: 'lists where one is logged in',
  management: 'gives scopes and roles, which hold from the next login',
} as const

describe(
  'a copy of the source with a new feature, grant and credential scheme',
  { concurrency: 3 },
  () => {
    let copy: string

    /** Runs Node in the copy. Returns its output, whether it failed or not. */
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
      await passes(['tools/settings-page.ts'])
    })
    after(() => rmSync(copy, { recursive: true, force: true }))

    it('changes at most four files for the feature, and adds at most ten lines to them', () => {
      assert.ok(Object.keys(feature).length <= 4)
      assert.ok(Object.values(feature).flat().length <= 10)
    })

    it('changes one file for the grant and one for the scheme, by a line and a word each', () => {
      for (const additions of [grant, scheme]) assert.equal(Object.keys(additions).length, 1)
      assert.equal(Object.values(grant).flat().length, 2)
      // The word for the scheme is added to the line of the list.
      assert.equal(Object.values(scheme).flat().length, 1)
    })

    it('is built', async () => {
      await passes([join(root, 'node_modules/typescript/bin/tsc'), '-b', 'packages/server'])
    })

    it('keeps to the plan of rooms, once it has a room', async () => {
      const output = await run(['tools/check-rooms.ts'])
      assert.match(output, /\d+ files/)
      assert.doesNotMatch(output, /probe/)
    })

    it('has what is new, on both databases', async () => {
      await passes(['--test', 'test/growth/probe.ts'])
    })

    it('does what it did before', async () => {
      await passes(['--test', `${server}/server/*.test.ts`, `${server}/feature/*.test.ts`])
      const flows = Object.keys(flowTests).map((name) => `test/flows/${name}.test.ts`)
      const output = await passes([
        '--test',
        `--test-name-pattern=${Object.values(flowTests).join('|')}`,
        ...flows,
      ])
      for (const title of Object.values(flowTests))
        assert.ok(output.includes(title), `there is no test: ${title}`)
    })

    it('has the setting and the command in help, and the setting in faults', async () => {
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

    it('has the setting on the page of settings', () => {
      const page = readFileSync(join(copy, 'docs/reference/settings.md'), 'utf8')
      assert.match(
        page,
        /^\| `probeSeconds` \| app, server \| `KEYSTILE_PROBE_SECONDS` \| `--probe-seconds` \| 86400 \|/m,
      )
    })
  },
)
