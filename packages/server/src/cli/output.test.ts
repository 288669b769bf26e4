// What commands do if the program that reads their output has ended, as in `keystile help |
// head -1`, and what lists print on a terminal.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { callCommand, freePort } from '../../test-support/command.ts'
import { runCommandLine } from './command-line.ts'
import { commands } from './commands.ts'
import { createTerminal } from './terminal.ts'

/** One call of each command, in an order in which each finds what it needs. */
const calls = [
  'migrate',
  'serve --host 127.0.0.1 --port PORT --log-file log',
  'user create ada --role admin --password-file password',
  'user create bob --password-file password',
  'user set-password ada --password-file password',
  'user grant bob --scope users:read',
  'user disable bob',
  'user enable bob',
  'user list',
  'user invite eve@example.com',
  'user invitations',
  'mail list',
  'mail retry',
  'user uninvite eve@example.com',
  'user factors ada',
  'user reset-factors ada',
  'event list',
  'event retry',
  'client create shop --grants client_credentials',
  'client rotate-secret shop',
  'client list',
  'client disable shop',
  'key list',
  'key rotate',
  'key revoke KEY',
  'audit',
  'audit --follow',
  'backup backup/b.db',
  'restore backup/b.db',
  'finish-restore',
  'user delete bob',
  'tune --milliseconds 10',
  'config check',
  'doctor',
  'completion bash',
  'version',
  'help',
]

let cwd: string
const env = {
  KEYSTILE_ISSUER: 'http://localhost:8000',
  KEYSTILE_KEY: 'a sealing key for tests: 0123456789 abcdef',
  KEYSTILE_MAIL_URL: 'smtp://localhost:1',
  KEYSTILE_MAIL_FROM: 'keystile@example.com',
}
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'keystile-output-'))
  writeFileSync(join(cwd, 'password'), 'an engine of her own', { mode: 0o600 })
})
afterEach(() => rmSync(cwd, { recursive: true }))

describe('a command whose output is not read', () => {
  /** Runs a command whose output is a pipe that nothing reads. A server stops after its output. */
  async function run(args: readonly string[]) {
    let writes = 0
    const stdout = new Writable({
      autoDestroy: false,
      write(_chunk, _encoding, done) {
        writes++
        if (args[0] === 'serve') setImmediate(() => called.emit('SIGTERM'))
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      },
    })
    const [stdin, stderr] = [new PassThrough(), new PassThrough()]
    const called = Object.assign(new EventEmitter(), { env, stdin, stdout, stderr, exitCode: 0 })
    const folder = process.cwd()
    process.chdir(cwd)
    try {
      await runCommandLine(args, createTerminal(called))
    } finally {
      process.chdir(folder)
    }
    return { code: called.exitCode, stderr: String(stderr.read() ?? ''), writes }
  }

  it('each command does its work without an error if its output is not read', async () => {
    const port = String(await freePort())
    for (const call of calls) {
      const words = call.split(' ')
      const needsKey = words.includes('KEY')
      const listed = needsKey ? await callCommand(['key', 'list', '--json'], { cwd, env }) : null
      const key = /"key_id":"([^"]+)"/.exec(listed?.stdout ?? '')?.[1] ?? ''
      const args = words.map((word) => ({ PORT: port, KEY: key })[word] ?? word)
      const { code, stderr, writes } = await run(args)
      assert.deepEqual([code, stderr], [0, ''], call)
      assert.equal(writes > 0, call !== 'event list', `${call} prints`) // there are no events
    }
    const { stdout } = await callCommand(['user', 'list'], { cwd, env })
    assert.match(stdout, /^ada\t\S+\t-\tactive\t\S+\trole:admin\n$/)
  })

  it('the list of calls has each command', () => {
    const untried = commands
      .map(({ words }) => words.join(' '))
      .filter((words) => !calls.some((call) => `${call} `.startsWith(`${words} `)))
    assert.deepEqual(untried, [])
  })
})

describe('a list on a terminal', () => {
  it('each list has titles on a terminal, and otherwise the same values without them', async () => {
    for (const call of calls.filter((words) => /^(migrate|user create|client cre)/.test(words)))
      assert.equal((await callCommand(call.split(' '), { cwd, env })).code, 0)
    await callCommand(['user', 'invite', 'eve@example.com'], { cwd, env })

    const lists = commands.filter(
      ({ words }) => words[1] === 'list' || words[1] === 'invitations' || words[0] === 'audit',
    )
    assert.equal(lists.length, 7)
    for (const { words } of lists) {
      const args = words.filter((word) => word !== undefined)
      const piped = await callCommand(args, { cwd, env })
      const shown = await callCommand(args, { cwd, env, isTerminal: true })
      const [titles = '', ...lines] = shown.stdout.split('\n').map((line) => line.split(/ {2,}/))
      const rows = piped.stdout.split('\n').map((line) => line.split('\t'))
      if (piped.stdout === '') assert.match(shown.stderr, /^(there are no|the app has) /)
      else {
        assert.deepEqual(lines, rows, args.join(' '))
        // oxlint-disable-next-line no-control-regex -- the codes of bold text
        assert.match(String(titles), /^\u001b\[1m[A-Z ,-]+\u001b\[22m$/)
        assert.equal(titles.length, lines[0]?.length)
      }
    }
  })
})
