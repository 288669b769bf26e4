// The command `keystile` belongs to the library. If @keystile/server is installed, the command runs
// the commands of that package too.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { createTestIssuer } from 'keystile/testing'

const root = join(import.meta.dirname, '../..')
const main = join(root, 'packages/keystile/src/cli/main.ts')
// The options of Node load what `npm test` has bundled, and compiled code.
const { PATH, HOME, NODE_OPTIONS, NODE_COMPILE_CACHE } = process.env

async function run(file: string, args: readonly string[], input = '', isRead = true) {
  const child = spawn(process.execPath, ['--conditions=source', file, ...args], {
    env: { PATH, HOME, NODE_OPTIONS, NODE_COMPILE_CACHE },
  })
  if (!isRead) child.stdout.destroy()
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([
    isRead ? text(child.stdout) : '',
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: child.exitCode, stdout, stderr }
}

describe('the command keystile with @keystile/server installed', () => {
  it('keystile runs the commands of @keystile/server', async () => {
    const { code, stdout, stderr } = await run(main, ['version'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
    const wrong = await run(main, ['user', 'creat'])
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /user must be followed by one of/)
  })

  it('the help of keystile shows the commands of keystile and @keystile/server', async () => {
    for (const args of [['help'], ['--help'], []]) {
      const { code, stdout } = await run(main, args)
      assert.equal(code, 0)
      assert.match(stdout, /keystile token check \[flags\][^]*serve[^]*user create/)
    }
    for (const args of [
      ['help', 'key'],
      ['key', '--help'],
    ])
      assert.match((await run(main, args)).stdout, /^ {2}key list /)
    assert.match((await run(main, ['help', 'token'])).stdout, /^.*keystile token check \[flags\]/)
  })
})

describe('the command keystile without @keystile/server', () => {
  // Copies the package as npm would install it, but with its source instead of `dist`. Node does
  // not strip types in `node_modules`, so the folder has another name.
  const folder = mkdtempSync(join(tmpdir(), 'keystile-alone-'))
  const alone = join(folder, 'keystile/src/cli/main.ts')
  cpSync(join(root, 'packages/keystile/src'), join(folder, 'keystile/src'), { recursive: true })
  cpSync(join(root, 'packages/keystile/package.json'), join(folder, 'keystile/package.json'))
  after(() => rmSync(folder, { recursive: true }))

  it('without @keystile/server, keystile says which package has the other commands', async () => {
    const { code, stdout, stderr } = await run(alone, ['user', 'create', 'ada'])
    assert.deepEqual([code, stdout], [1, ''])
    assert.equal(
      stderr,
      'keystile: "keystile user" needs the package @keystile/server, which is not installed ' +
        'here. Fix: npm install @keystile/server\n',
    )
  })

  it('without @keystile/server, keystile has help and a version', async () => {
    assert.match((await run(alone, ['help'])).stdout, /token check[^]*Install @keystile\/server/)
    assert.match((await run(alone, ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  })

  it('without @keystile/server, keystile can check a token from standard input', async () => {
    const issuer = createTestIssuer()
    const flags = ['--issuer', issuer.issuer, '--audience', 'a']
    const { code, stdout, stderr } = await run(alone, ['token', 'check', ...flags], 'abc')
    assert.deepEqual([code, stderr], [1, ''])
    assert.match(stdout, /^refused: malformed_token\n/)
    const wrong = await run(alone, ['token'])
    assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
    assert.match(wrong.stderr, /`token` must be followed by `check`/)
  })

  it('keystile prints no error and keeps its exit code if its output is not read', async () => {
    const check = ['token', 'check', '--issuer', 'https://auth.example', '--audience', 'a']
    for (const [args, code] of [
      [['help'], 0],
      [['token', '--help'], 0],
      [check, 1],
    ] as const)
      for (const file of [main, alone])
        assert.deepEqual(await run(file, args, 'abc', false), { code, stdout: '', stderr: '' })
  })

  it('keystile finds @keystile/server through a symbolic link such as pnpm creates', async () => {
    const modules = join(folder, 'app/node_modules')
    for (const name of ['.bin', '@keystile']) mkdirSync(join(modules, name), { recursive: true })
    symlinkSync(join(root, 'packages/server'), join(modules, '@keystile/server'))
    symlinkSync(alone, join(modules, '.bin/keystile'))
    const { code, stderr, stdout } = await run(join(modules, '.bin/keystile'), ['version'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })
})
