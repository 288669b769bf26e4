import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { createTerminal, programOf } from './terminal.ts'

/** A stream of a terminal, with the modes that were set: true hides what is typed. */
class TerminalStream extends PassThrough {
  isTTY = true
  readonly modes: boolean[] = []
  setRawMode(mode: boolean): void {
    this.modes.push(mode)
  }
  printed(): string {
    let text = ''
    let chunk: Buffer | null
    while ((chunk = this.read() as Buffer | null)) text += chunk.toString()
    return text
  }
}

/** Creates an object in place of `process`. */
function createProcess() {
  const env: Record<string, string> = {}
  return Object.assign(new EventEmitter(), {
    env,
    argv: ['node', '/usr/local/bin/keystile'],
    stdin: new TerminalStream(),
    stdout: new TerminalStream(),
    stderr: new TerminalStream(),
    exitCode: 0,
  })
}

describe('createTerminal', () => {
  it('a terminal escapes control characters in its output, and sets the exit code', () => {
    const called = createProcess()
    const terminal = createTerminal(called)
    const { print, printRow, printJson, printError, environment, program } = terminal
    print('two\nlines\r')
    printRow(['a\n', 'b'])
    printJson({ a: '\u2028' })
    assert.equal(called.stdout.printed(), 'two\nlines\\u000d\na\\u000a\tb\n{"a":"\\u2028"}\n')
    printError('two\nlines\r')
    assert.equal(called.stderr.printed(), 'two\nlines\\u000d\n')
    assert.deepEqual([environment, program], [called.env, 'keystile'])
    assert.equal(called.exitCode, 0)
    terminal.fail()
    assert.equal(called.exitCode, 1)
    const nameless = Object.assign(createProcess(), { argv: ['node'] })
    assert.equal(createTerminal(nameless).program, 'npx keystile')
  })

  it('a terminal prints bold text only without NO_COLOR, and not into a file', () => {
    const called = createProcess()
    const { bold } = createTerminal(called)
    assert.equal(bold('a'), '\u001b[1ma\u001b[22m')
    called.env['NO_COLOR'] = '1'
    assert.equal(bold('a'), 'a')
    called.env['NO_COLOR'] = ''
    called.stdout.isTTY = false
    assert.equal(createTerminal(called).bold('a'), 'a')
  })

  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`untilStopped() resolves at ${signal}; a second ${signal} is left to Node`, async () => {
      const called = createProcess()
      const stopped = createTerminal(called).untilStopped()
      called.emit(signal)
      assert.equal(await stopped, signal)
      assert.equal(called.listenerCount(signal), 0)
    })
  }

  it('`unread` is aborted at EPIPE of the output; other errors are thrown', () => {
    const called = createProcess()
    const { unread } = createTerminal(called)
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const closed = Object.assign(new Error('closed'), { code: 'EPIPE' })
    for (const stream of [called.stderr, called.stdout])
      assert.throws(() => stream.emit('error', full), full)
    called.stderr.emit('error', closed)
    assert.equal(unread.aborted, false)
    called.stdout.emit('error', closed)
    assert.equal(unread.aborted, true)
  })

  it('ask() asks on standard error, and leaves the echo to the terminal', async () => {
    const called = createProcess()
    const asked = createTerminal(called).ask('Name: ')
    called.stdin.write('ada\n')
    assert.equal(await asked, 'ada')
    assert.deepEqual([called.stdout.printed(), called.stderr.printed()], ['', 'Name: '])
    assert.deepEqual(called.stdin.modes, [])
  })

  it('ask() refuses an input that ends early, and does not ask without a terminal', async () => {
    const called = createProcess()
    const { ask } = createTerminal(called)
    const asked = ask('Name: ')
    called.stdin.end()
    await assert.rejects(asked, { name: 'ConfigurationError', message: /the input ended before/ })
    called.stdin.isTTY = false
    called.stderr.printed()
    assert.equal(await ask('Name: '), undefined)
    assert.equal(called.stderr.printed(), '')
  })

  it('askSecret() asks on standard error, and hides what is typed', async () => {
    const called = createProcess()
    const asked = createTerminal(called).askSecret('Password: ')
    assert.equal(called.stderr.printed(), 'Password: ')
    called.stdin.write('s3cr3tt\u007f\r')
    assert.equal(await asked, 's3cr3t')
    assert.deepEqual([called.stdout.printed(), called.stderr.printed()], ['', '\n'])
    assert.deepEqual(called.stdin.modes, [true, false])
  })

  it('askSecret() refuses an input that ends early, or that is no terminal', async () => {
    const called = createProcess()
    const { askSecret } = createTerminal(called)
    const asked = askSecret('Password: ')
    called.stdin.end()
    await assert.rejects(asked, { name: 'ConfigurationError', message: /the input ended before/ })
    called.stdin.isTTY = false
    await assert.rejects(askSecret('Password: '), { message: /Fix: give --password-file$/ })
  })
})

describe('programOf', () => {
  for (const [path, program] of [
    ['/home/ada/shop/node_modules/.bin/keystile', 'npx keystile'],
    ['/home/ada/shop/node_modules/keystile/dist/cli/main.js', 'npx keystile'],
    ['C:\\shop\\node_modules\\keystile\\dist\\cli\\main.js', 'npx keystile'],
    ['/usr/local/bin/keystile', 'keystile'],
    [
      '/app/node_modules/@keystile/server/bin/keystile.cjs',
      'node /app/node_modules/@keystile/server/bin/keystile.cjs',
    ],
    ['/home/ada/keystile/packages/server/src/cli/main.ts', 'npm run keystile --'],
    ['', 'npx keystile'],
  ] as const) {
    it(`programOf returns "${program}" for the path "${path}"`, () => {
      assert.equal(programOf(path), program)
    })
  }
})
