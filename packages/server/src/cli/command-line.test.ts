import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { callCommand, freePort } from '../../test-support/command.ts'
import { ConfigurationError } from '../base/configuration-error.ts'
import type { CliCommand } from '../feature/cli-command.ts'
import { DatabaseUnavailableError } from '../storage/database.ts'
import { createCall } from './call.ts'
import { runCommandLine } from './command-line.ts'
import { completionScript } from './completion.ts'
import { readSettings } from './settings.ts'
import { createTerminal } from './terminal.ts'
import { welcome } from './welcome.ts'

let cwd: string
before(() => void (cwd = mkdtempSync(join(tmpdir(), 'keystile-command-line-'))))
after(() => rmSync(cwd, { recursive: true }))

/** Creates an object in place of `process`. */
function createProcess(env: Readonly<Record<string, string>> = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  return Object.assign(new EventEmitter(), { env, stdin, stdout, stderr, exitCode: 0 })
}

const load = () => Promise.reject(new Error('the test does not run it'))
/** Commands for the completion scripts. No test runs them. */
const listed: readonly CliCommand<never>[] = [
  { words: ['run'], flags: { fast: {} }, takesSettings: true, summary: 'run it', load },
  { words: ['user', 'list'], flags: { json: {} }, takesSettings: false, summary: 'all', load },
  { words: ['user', 'make'], operand: 'NAME', takesSettings: false, summary: 'one', load },
]

describe('runCommandLine', () => {
  it('keystile prints its help without a command, and with --help or -h in any place', async () => {
    const { code, stdout } = await callCommand(['help'], { cwd })
    assert.equal(code, 0)
    assert.match(stdout, /^Keystile: [^]*\n {2}serve [^]*\nSettings\n[^]*\n {2}--issuer, KEYSTILE_/)
    for (const args of [[], ['--help'], ['-h'], ['help', '-h']])
      assert.deepEqual(await callCommand(args, { cwd }), { code: 0, stdout, stderr: '' })
  })

  it('keystile prints the help of one command, or of the commands with one first word', async () => {
    const helpOf = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await callCommand(args, { cwd })
      assert.deepEqual([code, stderr], [0, ''])
      return stdout
    }
    const create = await helpOf('user', 'create', 'ada', '--help')
    assert.match(
      create,
      /^ {2}user create NAME [^]*\n {34}create an account;.*\n\n.*"keystile help"\n$/,
    )
    assert.doesNotMatch(create, /user list/)
    assert.equal(await helpOf('help', 'user', 'create'), create)
    assert.match(await helpOf('help', 'user'), /^ {2}user create [^]*\n {2}user list /)
    assert.equal(await helpOf('user', '-h'), await helpOf('help', 'user'))
    assert.match(await helpOf('completion', '--help'), /^ {2}completion bash\|zsh\|fish .*\n$/)
    const { code, stderr } = await callCommand(['help', 'nothing'], { cwd })
    const message = 'keystile: there is no command "nothing"; see keystile help\n'
    assert.deepEqual([code, stderr], [1, message])
  })

  it('`version` and `--version` print the version, and refuse an operand', async () => {
    for (const word of ['version', '--version']) {
      assert.match((await callCommand([word], { cwd })).stdout, /^\d+\.\d+\.\d+\n$/)
      const { code, stderr } = await callCommand([word, '1'], { cwd })
      assert.deepEqual([code, stderr], [1, 'keystile: the command must be: keystile version\n'])
    }
  })

  it('keystile refuses an unknown flag, and a command without its operand', async () => {
    const { stderr } = await callCommand(['completion'], { cwd })
    assert.match(stderr, /^keystile: the command must be: keystile completion bash\|zsh\|fish\n/)
    for (const args of [['completion', 'bash'], ['version'], ['help']]) {
      assert.match((await callCommand(args, { cwd })).stdout, /^_keystile|^\d|^Keystile/)
      const { code, stderr } = await callCommand([...args, '--port', '1'], { cwd })
      const message = 'keystile: there is no flag --port. Fix: leave it out\n'
      assert.deepEqual([code, stderr], [1, message])
    }
  })

  it('keystile proposes the command with the most similar name', async () => {
    for (const [args, message] of [
      [['sreve'], 'there is no command "sreve". Fix: write serve'],
      [['unheard-of'], 'there is no command "unheard-of"; see keystile help'],
      [['config'], 'config must be followed by one of check; see keystile help'],
      [['config', 'chek'], 'config must be followed by one of check. Fix: write check'],
      [['config', 'config'], 'config must be followed by one of check; see keystile help'],
      [['help', 'sreve'], 'there is no command "sreve". Fix: write serve'],
      [['sreve', '--help'], 'there is no command "sreve". Fix: write serve'],
      [['config', 'chek', '-h'], 'config must be followed by one of check. Fix: write check'],
    ] as const) {
      const { code, stdout, stderr } = await callCommand(args, { cwd })
      assert.deepEqual([code, stdout, stderr], [1, '', `keystile: ${message}\n`])
    }
    const { stderr } = await callCommand(['user'], { cwd })
    assert.match(stderr, /^keystile: user must be followed by one of create, list, /)
  })

  it('keystile prints a sentence for an error that operators can fix, else the stack', async () => {
    const errorOf = async (error: Error): Promise<string> => {
      const called = createProcess()
      called.stdout.write = () => {
        throw error
      }
      await runCommandLine(['version'], createTerminal(called))
      assert.equal(called.exitCode, 1)
      return String(called.stderr.read())
    }
    const withCode = (code: string): Error => Object.assign(new Error('no port'), { code })
    assert.equal(await errorOf(new ConfigurationError('wrong')), 'keystile: wrong\n')
    assert.equal(await errorOf(new DatabaseUnavailableError('gone')), 'keystile: gone\n')
    assert.equal(await errorOf(withCode('EACCES')), 'keystile: no port\n')
    assert.match(
      await errorOf(Object.assign(withCode('EACCES'), { syscall: 'listen' })),
      /^keystile: no port\. Fix: choose a port above 1023/,
    )
    assert.equal(
      await errorOf(withCode('EADDRINUSE')),
      'keystile: no port. Fix: stop the program that uses the port, ' +
        'or choose a free port with --port\n',
    )
    assert.match(await errorOf(new TypeError('a bug')), /^TypeError: a bug\n {4}at /)
    assert.match(await errorOf(withCode('EPERM')), /^Error: no port\n {4}at /)
  })
})

describe('createCall', () => {
  const command: CliCommand<never> = { words: ['x'], takesSettings: true, summary: '', load }
  const terminalWith = (env: Readonly<Record<string, string>>) => createTerminal(createProcess(env))

  it('a call reads the settings once, and needs the key only if the command says so', async () => {
    const call = createCall(command, ['--port', '9000'], terminalWith({ KEYSTILE_AUDIENCE: 'a' }))
    const settings = await call.settings()
    assert.deepEqual([settings.port, settings.options.audience], [9000, 'a'])
    assert.equal(await call.settings(), settings)
    assert.deepEqual((await call.situation()).options.audience, 'a')

    const server = terminalWith({ DATABASE_URL: 'postgres://127.0.0.1:1/x' })
    await assert.rejects(createCall(command, [], server).settings(), {
      message: /KEYSTILE_KEY must/,
    })
    const keyless = { ...command, takesSettings: 'withoutKey' } as const
    assert.equal((await createCall(keyless, [], server).settings()).port, 8000)
  })

  it('withDatabase() creates a database only if it may, and closes it at the end', async () => {
    const file = join(cwd, 'call.db')
    const { withDatabase } = createCall(command, ['--database', file], terminalWith({}))
    const work = async (): Promise<void> => assert.fail('there is no database')
    const absent = {
      name: 'ConfigurationError',
      message:
        `the database must exist; there is no ${file}. ` +
        'Fix: start the server once, or correct --database',
    }
    await assert.rejects(withDatabase(work), absent)
    await assert.rejects(withDatabase(work, { file, mayCreate: false }), absent)

    const failure = new Error('the work failed')
    const failed = withDatabase(() => Promise.reject(failure), { mayCreate: true })
    await assert.rejects(failed, failure)
    assert.equal(existsSync(`${file}-wal`), false)
    let calls = 0
    await withDatabase(async ({ writeQueueLength }) => void (calls += 1 + writeQueueLength), {
      file,
    })
    assert.equal(calls, 1)
  })
})

describe('completionScript', () => {
  it('the fish script completes each word, and the flags after the last word', () => {
    const lines = completionScript('fish', listed).split('\n')
    const ownLines = lines.filter((line) => !/subcommand_from run" -l (?!fast)/.test(line))
    const tokenCheck = '__fish_seen_subcommand_from check" -l '
    const first = '__fish_use_subcommand" -f -a '
    assert.deepEqual(
      ownLines.filter((line) => !line.includes(tokenCheck)),
      [
        `complete -c keystile -n "${first}run`,
        `complete -c keystile -n "${first}user`,
        `complete -c keystile -n "${first}token`,
        'complete -c keystile -n "__fish_seen_subcommand_from user" -f -a list',
        'complete -c keystile -n "__fish_seen_subcommand_from user" -f -a make',
        'complete -c keystile -n "__fish_seen_subcommand_from token" -f -a check',
        'complete -c keystile -n "__fish_seen_subcommand_from run" -l fast',
        'complete -c keystile -n "__fish_seen_subcommand_from list" -l json',
      ],
    )
    const run = 'complete -c keystile -n "__fish_seen_subcommand_from run" -l '
    assert.ok(lines.includes(`${run}issuer`) && lines.includes(`${run}config`))
    assert.ok(lines.includes(`complete -c keystile -n "${tokenCheck}audience`))
    for (const line of lines) assert.match(line, / -(?:a|l) [a-z-]+$/)
  })

  it('the bash script completes words, then flags; zsh loads it with bashcompinit', () => {
    const script = completionScript('bash', listed)
    assert.deepEqual(
      script.split('\n').map((line) => line.replace(/--(?:issuer|audience) .*"/, '…"')),
      [
        '_keystile() {',
        '  local word=${COMP_WORDS[COMP_CWORD]} words=""',
        '  case "$COMP_CWORD:${COMP_WORDS[1]}" in',
        '    1:*) words="run user token" ;;',
        '    2:user) words="list make" ;;',
        '    2:token) words="check" ;;',
        '  esac',
        '  if [ -z "$words" ]; then',
        '    case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in',
        '      "run"*) words="--fast …" ;;',
        '      "user list"*) words="--json" ;;',
        '      "user make"*) words="" ;;',
        '      "token check"*) words="…" ;;',
        '    esac',
        '  fi',
        '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
        '}',
        'complete -o default -F _keystile keystile',
      ],
    )
    const [, flags = ''] = /"token check"\*\) words="(.*)" ;;/.exec(script) ?? []
    assert.ok(flags.split(' ').includes('--audience'))
    for (const flag of flags.split(' ')) assert.match(flag, /^--[a-z-]+$/)
    const zsh = '#compdef keystile\nautoload -U +X bashcompinit && bashcompinit\n'
    assert.equal(completionScript('zsh', listed), zsh + script)
    assert.throws(() => completionScript('tcsh', listed), {
      name: 'ConfigurationError',
      message: 'the shell must be bash, zsh or fish',
    })
  })
})

describe('keystile config check and keystile doctor', () => {
  const unsafe = ['--issuer', 'http://auth.example', '--registration', 'closed']
  const proxies = ['--trusted-proxies', '10.0.0.1']
  const slow = ['--access-token-seconds', '7200']

  it('`keystile config check` prints warnings, and where the server would listen', async () => {
    const { stdout } = await callCommand(['config', 'check', ...slow], { cwd })
    const [warning, fine, more, ...rest] = stdout.split('\n')
    assert.match(warning!, /^warning: --access-token-seconds is 7200.*\(access-token-short, RFC /)
    assert.equal(
      fine,
      'the settings are fine: http://localhost:8000, listening on 127.0.0.1 and ::1, port 8000',
    )
    assert.match(more!, /^keystile doctor also checks/)
    assert.deepEqual(rest, [''])
  })

  it('`keystile doctor` prints faults that stop a start, then warnings, then counts', async () => {
    const { code, stdout } = await callCommand(['doctor', ...slow, ...unsafe, ...proxies], { cwd })
    assert.equal(code, 1)
    const lines = stdout.split('\n')
    assert.match(lines[0]!, /^stop {2}issuer-https \(RFC /)
    assert.match(lines[1]!, /^ {6}--issuer must be an https URL/)
    assert.match(lines[2]!, /^ {6}fix: \S/)
    assert.match(lines[4]!, /^warn {2}access-token-short \(RFC 6750 §5\.3\)$/)
    assert.match(lines[5]!, /^ {6}--access-token-seconds is 7200/)
    assert.match(lines[6]!, /^ {6}fix: \S/)
    assert.deepEqual([lines[3], lines[7], lines[10]], ['', '', ''])
    assert.match(lines[8]!, /^\d\d rules checked: 1 prevents a start, 1 warning$/)
    assert.match(lines[9]!, /^rules that could not be checked: database-file-private, /)
    assert.doesNotMatch(lines[9]!, /issuer-https|node-version/)
    assert.equal((await callCommand(['doctor', ...slow], { cwd })).code, 0)
  })

  it('`keystile doctor --json` prints the findings and the ids of the checked rules', async () => {
    const reportOf = async (args: readonly string[]) => {
      const { code, stdout } = await callCommand(['doctor', '--json', ...args], { cwd })
      const { ok, findings, checked } = JSON.parse(stdout) as {
        readonly ok: boolean
        readonly findings: readonly Readonly<Record<string, string>>[]
        readonly checked: readonly string[]
      }
      assert.ok(checked.includes('issuer-https') && !checked.includes('sqlite-durable'))
      assert.equal(code, ok ? 0 : 1)
      return { ok, findings }
    }
    const { ok, findings } = await reportOf([...slow, ...unsafe, ...proxies])
    assert.deepEqual(
      [ok, findings.map(({ id }) => id)],
      [false, ['issuer-https', 'access-token-short']],
    )
    const { message, fix, ...rest } = findings[1]!
    assert.deepEqual(rest, {
      id: 'access-token-short',
      severity: 'warn',
      standard: 'RFC 6750 §5.3',
    })
    assert.match(message!, /^--access-token-seconds is 7200/)
    assert.match(fix!, /^set --access-token-seconds=/)
    assert.equal((await reportOf(slow)).ok, true)
  })
})

describe('keystile serve', () => {
  const issuer = 'http://localhost:1'
  const given = ['--issuer', issuer, '--registration', 'closed', '--log-file', 'serve.log']

  /**
   * Runs a server in this process, asks it for its metrics, and stops it. Returns what it printed,
   * and the status of the metrics.
   */
  async function serve(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<readonly [string, number]> {
    const called = createProcess(env)
    const port = String(await freePort())
    const before = process.cwd()
    process.chdir(cwd)
    try {
      const all = ['serve', ...given, '--host', '127.0.0.1', '--port', port, ...args]
      const stopped = runCommandLine(all, createTerminal(called))
      await Promise.race([once(called.stdout, 'readable'), stopped])
      const printed = String(called.stdout.read() ?? called.stderr.read())
      const metrics = `http://127.0.0.1:${port}/metrics`
      const { status } = await fetch(metrics, { headers: { connection: 'close' } })
      called.emit('SIGTERM')
      await stopped
      await assert.rejects(fetch(metrics))
      return [printed.replaceAll(port, 'PORT'), status]
    } finally {
      process.chdir(before)
    }
  }

  it('serve says how to create the first users, and serves until SIGTERM', async () => {
    const [printed, status] = await serve(['--access-log', 'on'])
    assert.equal(status, 200)
    assert.match(printed, /^\nKeystile listens on http:\/\/127\.0\.0\.1:PORT {2}\(issuer /)
    assert.match(printed, /\n\nRegistration is closed. Create the first administrator:\n\n {2}npx /)
    assert.match(printed, /\n {2}npx keystile user create NAME --email ADDRESS --role admin\n/)
    const log = readFileSync(join(cwd, 'serve.log'), 'utf8').trimEnd().split('\n')
    const logged = log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    assert.deepEqual(
      logged.map(({ msg, issuer, signal }) => [msg, issuer, signal]),
      [
        ['listening', issuer, undefined],
        ['request', undefined, undefined],
        ['stopping', undefined, 'SIGTERM'],
        ['stopped', undefined, undefined],
      ],
    )
    assert.equal(typeof logged[0]!['port'], 'number')

    writeFileSync(join(cwd, 'password'), 'an engine of her own', { mode: 0o600 })
    const create = async (...who: readonly string[]): Promise<void> => {
      const args = ['user', 'create', ...who, '--password-file', 'password', ...given.slice(0, 4)]
      assert.equal((await callCommand(args, { cwd })).stderr, '')
    }
    await create('bob')
    const [withoutAdministrator] = await serve([])
    assert.match(withoutAdministrator, /\. Create the first administrator:\n/)
    await create('ada', '--role', 'admin')
    const [later, statusOff] = await serve(['--metrics', 'off'])
    assert.equal(statusOff, 404)
    assert.match(later, /\. Create a user:\n\n {2}npx keystile user create NAME --email ADDRESS\n/)
    assert.equal(readFileSync(join(cwd, 'serve.log'), 'utf8').trimEnd().split('\n').length, 10)
  })

  it('serve logs once, at debug, which variables of Kubernetes it ignores', async () => {
    const service = { KEYSTILE_PORT: 'tcp://10.0.0.1:8000', KEYSTILE_SERVICE_HOST: '10.0.0.1' }
    await serve(['--log-level', 'debug', '--log-file', 'debug.log'], service)
    const log = readFileSync(join(cwd, 'debug.log'), 'utf8').trimEnd().split('\n')
    const { level, variables, msg } = JSON.parse(log[0]!) as Readonly<Record<string, unknown>>
    assert.deepEqual([level, variables], [20, Object.keys(service)])
    assert.equal(msg, 'ignored environment variables that Kubernetes sets for a Service')
  })

  it('serve closes the database if another program uses the port', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { readonly port: number }
    const args = ['serve', ...given, '--port', String(port), '--database', 'taken.db']
    const { code, stderr } = await callCommand(args, { cwd })
    taken.close()
    assert.equal(code, 1)
    assert.match(stderr, /^keystile: .*EADDRINUSE.*\. Fix: stop the program that uses the port/)
    const exists = (file: string): boolean => existsSync(join(cwd, file))
    assert.deepEqual([exists('taken.db'), exists('taken.db-wal')], [true, false])
  })

  it('serve prints its URL with the host and the path, and how to try it out', async () => {
    const textOf = async (issuer: string, flags: object, env = {}): Promise<string> =>
      welcome(issuer, await readSettings({ issuer, ...flags }, env), 'HOW TO')
    const password = 'password=an engine of her own'
    const user =
      '{"username": "ada", "email": "ada@example.com", "password": "an engine of her own"}'
    const token = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`
    const open = await textOf('http://localhost:8000/auth', {})
    assert.equal(
      open,
      `
Keystile listens on http://localhost:8000/auth  (issuer http://localhost:8000/auth)
Its data is in data/keystile.db
Its pages are at http://localhost:8000/auth/
Its interactive documentation is at http://localhost:8000/auth/docs

Register, log in, and see who you are:

  curl -s http://localhost:8000/auth/users -H 'content-type: application/json' -d '${user}'
  TOKEN=$(curl -s http://localhost:8000/auth/token -d username=ada -d '${password}' | ${token})
  curl -s http://localhost:8000/auth/users/me -H "authorization: Bearer $TOKEN"
`,
    )
    const mails = await textOf(
      'http://localhost:8000',
      {},
      {
        KEYSTILE_MAIL_URL: 'console:',
        KEYSTILE_EMAIL_VERIFICATION: 'required',
      },
    )
    assert.match(mails, /\nIts mails are at http:\/\/localhost:8000\/dev\/mail\n/)
    assert.match(mails, /'\n {2}# Now open the link in the mail at \S+\/dev\/mail, .*\n {2}TOKEN=/)
    assert.doesNotMatch(open, /mail at|Its mails/)
    const closed = { registration: 'closed', host: '::1', port: '9000' }
    const text = await textOf('https://auth.example', closed)
    assert.match(text, /^\nKeystile listens on http:\/\/\[::1\]:9000 {2}\(issuer https:\/\/auth\./)
    assert.match(text, /\nIts pages are at https:\/\/auth\.example\/\n/)
    assert.match(text, /\n\nHOW TO\n$/)
    assert.doesNotMatch(text, /documentation/)
    const byName = await textOf('https://auth.example', { ...closed, host: 'auth.internal' })
    assert.match(byName, /listens on http:\/\/auth\.internal:9000 {2}/)
  })
})
