// How much it takes to add something. A copy of the source gets a feature, a grant and a credential
// scheme: the files in `probe/`, and a few lines in files that are there. It must build, and all
// must work on both databases. It compiles both packages, so it runs only when it is asked for:
// KEYSTILE_LONG=1.
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
      `import * as passwordPolicy from '../features/password-policy/settings.ts'`,
      `import * as probe from '../features/probe/feature.ts'`,
    ],
    ['password.PasswordOptions,', 'probe.ProbeOptions,'],
    [`{ name: 'password', settings: password.settings },`, 'probe.feature,'],
  ],
  [`${server}/server/wire.ts`]: [
    [
      `import { createPasswordPolicy } from '../features/password-policy/policy.ts'`,
      `import { probeRoutes } from '../features/probe/routes.ts'`,
    ],
    ['...sessionRoutes(ends),', '...probeRoutes(accounts.database, clock),'],
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

/** A name in a list, and where it comes from. */
interface ListedName {
  readonly file: string
  readonly after: string
  readonly import: string
  readonly list: readonly [before: string, after: string]
}

const grant: ListedName = {
  file: `${server}/features/oauth/grants.ts`,
  after: `import { passwordGrant, type PasswordGrantParts } from './grants/password.ts'`,
  import: `import { probeGrant } from './grants/probe.ts'`,
  list: ['clientCredentialsGrant]', 'clientCredentialsGrant, probeGrant]'],
}
const scheme: ListedName = {
  file: 'packages/keystile/src/guard/schemes.ts',
  after: `import { bearer } from './schemes/bearer.ts'`,
  import: `import { probe } from './schemes/probe.ts'`,
  list: ['[bearer]', '[bearer, probe]'],
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

/** Adds a name to the list of a file, and its import. */
function addName(
  copy: string,
  { file, after: follows, import: added, list: [before, replacement] }: ListedName,
): void {
  addLines(copy, { [file]: [[follows, added]] })
  const path = join(copy, file)
  const text = readFileSync(path, 'utf8')
  assert.equal(text.split(before).length, 2, `${file} has one list that ends so: ${before}`)
  writeFileSync(path, text.replace(before, replacement))
}

/**
 * Copies what the build and the tests need. The packages find each other, and all else where it is
 * installed.
 */
function copySource(copy: string): void {
  const isSource = (path: string): boolean => !/[/\\](?:node_modules|dist|bundle)$/.test(path)
  for (const name of [
    'packages',
    'test/support',
    'test/flows',
    'test/docs',
    'tools',
    'docs',
    'package.json',
  ])
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

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'

describe('a copy of the source with a new feature, grant and credential scheme', { skip }, () => {
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
  const passes = async (args: readonly string[]): Promise<void> => {
    const output = await run(args)
    assert.ok(!output.startsWith('FAILED'), output)
  }

  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'keystile-growth-'))
    copySource(copy)
    cpSync(probe, copy, { recursive: true })
    addLines(copy, feature)
    addName(copy, grant)
    addName(copy, scheme)
  })
  after(() => rmSync(copy, { recursive: true, force: true }))

  it('changes at most four files for the feature, by at most ten lines', () => {
    assert.ok(Object.keys(feature).length <= 4)
    assert.ok(Object.values(feature).flat().length <= 10)
  })

  it('is built', () =>
    passes([join(root, 'node_modules/typescript/bin/tsc'), '-b', 'packages/server']))

  it('has what is new, on both databases', () => passes(['--test', 'test/growth/probe.ts']))

  it('does what it did before', () =>
    passes([
      '--test',
      `${server}/server/*.test.ts`,
      `${server}/feature/*.test.ts`,
      'test/flows/login.test.ts',
      'test/flows/sessions.test.ts',
    ]))

  it('has the setting in help and in faults', async () => {
    const main = `${server}/cli/main.ts`
    const help = await run([main, 'help'])
    assert.match(help, /--probe-seconds/)
    assert.match(help, /KEYSTILE_PROBE_SECONDS/)
    const faults = await run([main, 'config', 'check'], { KEYSTILE_PROBE_SECONDS: '1' })
    assert.match(faults, /^FAILED[^]*KEYSTILE_PROBE_SECONDS must be/)
  })

  it('has the setting on the page of settings', async () => {
    await passes(['tools/settings-page.ts'])
    const page = readFileSync(join(copy, 'docs/settings.md'), 'utf8')
    assert.match(
      page,
      /^\| `probeSeconds` \| app, server \| `KEYSTILE_PROBE_SECONDS` \| `--probe-seconds` \| 86400 \|/m,
    )
  })
})
