// Measures how many existing lines and files change with something new: a feature, a grant, a
// credential scheme, a login method with a second step, an endpoint that logs in (a front), a grant
// that logs in, and a table of user data. A copy of the source gets all of them: the files in
// `probe/`, and a few lines in existing files. The copy must build and work on both databases.
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
import { additions, rooms, server, type Changes } from './additions.ts'

const root = join(import.meta.dirname, '../..')
const probe = join(import.meta.dirname, 'probe')

/** Changes lines of the copy. Each existing line that is named must occur once in its file. */
function change(copy: string, changes: Changes): void {
  for (const [file, lines] of Object.entries(changes)) {
    const path = join(copy, file)
    const text = readFileSync(path, 'utf8').split('\n')
    for (const one of lines) {
      const sought = 'line' in one ? one.line : one[0]
      const found = text.flatMap((line, index) => (line.trim() === sought ? [index] : []))
      assert.equal(found.length, 1, `${file} has ${found.length} lines: ${sought}`)
      const [index = 0] = found
      if ('line' in one) text.splice(index, 1, one.becomes)
      else text.splice(index + 1, 0, one[1])
    }
    writeFileSync(path, text.join('\n'))
  }
}

function addRooms(copy: string): void {
  const path = join(copy, 'tools/rooms.ts')
  let text = readFileSync(path, 'utf8')
  for (const { before, importer, ...room } of rooms) {
    if (importer !== undefined)
      text = text.replace(
        new RegExp(`name: '${importer}',[^]*?from: \\[`),
        (found) => `${found}'${room.name}', `,
      )
    const next = `{\n      name: '${before}',`
    const parts = text.split(next)
    assert.equal(parts.length, 2, `tools/rooms.ts must contain once: ${next}`)
    text = parts.join(`${JSON.stringify({ ...room, for: 'an example' })}, ${next}`)
  }
  writeFileSync(path, text)
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
  'user-data': 'of a deleted user, only the audit record and ended sessions stay',
  registration: 'returns 201 with the user and the user’s URL',
  login: 'a login with the right password gets a token',
  refresh: 'a refresh returns new tokens of the same session',
  sessions: 'shows devices, last use and the current session',
  management: 'changes scopes and roles, and the next login gets them',
} as const

describe('a copy of the source with all that is new', { concurrency: 3 }, () => {
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
    for (const { changes } of Object.values(additions)) change(copy, changes)
    addRooms(copy)
    await passes(['tools/reference-pages.ts'])
  })
  after(() => rmSync(copy, { recursive: true, force: true }))

  for (const [what, { changes, files, lines }] of Object.entries(additions))
    it(`${what} changes at most ${lines} lines of existing files (${files} at most)`, () => {
      assert.ok(Object.keys(changes).length <= files)
      assert.ok(Object.values(changes).flat().length <= lines)
    })

  it('with all that is new, the source compiles', { skip: skipLong }, async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    await passes([tsc, '-b', '--singleThreaded', 'packages/server'])
  })

  it('check-rooms.ts accepts the new files if its plan lists their rooms', async () => {
    const output = await run(['tools/check-rooms.ts'])
    assert.match(output, /\d+ files/)
    assert.doesNotMatch(output, /probe|notes|\bpin\b/)
  })

  it('all that is new works on SQLite and PostgreSQL', async () => {
    await passes(['--test', 'test/growth/*.ts'])
  })

  it('with all that is new, the tests of features still pass', { skip: skipLong }, async () => {
    await passes(['--test', `${server}/server/*.test.ts`, `${server}/feature/*.test.ts`])
  })

  it('with all that is new, tests of existing flows still pass', { skip: skipLong }, async () => {
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
})
