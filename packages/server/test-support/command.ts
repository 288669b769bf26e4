// Runs the command `keystile` from source: in a separate process, or within the process of the
// test.
import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runCommandLine } from '../src/cli/command-line.ts'
import { createTerminal } from '../src/cli/terminal.ts'

/** The PostgreSQL of the tests runs without fsync. */
const testEnv = { KEYSTILE_DANGEROUSLY_ALLOW_LOST_COMMITS: 'true' }

const ownMain = join(import.meta.dirname, '../src/cli/main.ts')

export interface CommandOptions {
  readonly cwd: string
  /** Variables for the process. It inherits only PATH, HOME, NODE_COMPILE_CACHE and
   * NODE_OPTIONS. */
  readonly env?: Readonly<Record<string, string>>
  /** A program and its arguments, which runs the command in its own process, such as `unshare`. */
  readonly wrapper?: readonly string[]
  /** Whether the output goes to a terminal. Only for `callCommand`. */
  readonly isTerminal?: boolean
  /** The file of the program `keystile`, for a separate process. Default: that of this source. */
  readonly main?: string
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in a separate process, for tests of exit codes, signals and standard streams. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions,
): Promise<Finished> {
  const child = startCommand(args, options)
  const [stdout, stderr] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ])
  return { code: child.exitCode, stdout, stderr }
}

/** Settles when the newest call has ended. */
let lastCall: Promise<unknown> = Promise.resolve()

/**
 * Runs a command within this process, which is many times faster than a separate process. The
 * command runs as in `main.ts`, in the folder `cwd`, and with only the environment variables in
 * `env`. Its standard input is not a terminal. Calls run one after the other, because a process has
 * only one working folder.
 */
export function callCommand(args: readonly string[], options: CommandOptions): Promise<Finished> {
  const call = lastCall.then(() => callNow(args, options))
  lastCall = call.catch(() => undefined)
  return call
}

async function callNow(
  args: readonly string[],
  { cwd, env: given = {}, isTerminal = false }: CommandOptions,
): Promise<Finished> {
  const env = { ...testEnv, ...given }
  const [stdout, stderr] = [new Printed(), new Printed()]
  const called = Object.assign(new EventEmitter(), {
    env,
    stdin: Readable.from([]),
    stdout: Object.assign(stdout, { isTTY: isTerminal }),
    stderr,
    exitCode: 0,
  })
  const folder = process.cwd()
  process.chdir(cwd)
  try {
    await runCommandLine(args, createTerminal(called))
  } finally {
    process.chdir(folder)
  }
  return { code: called.exitCode, stdout: stdout.text, stderr: stderr.text }
}

/** A stream that stores its input in `text`. */
class Printed extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

export interface RunningServer {
  readonly url: string
  readonly child: ChildProcess
  /** The standard output until now. */
  stdout(): string
  stderr(): string
  /** Ends the server with a signal, and resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `keystile serve` on a free port, and waits until the server says that it listens. */
export async function startServer(
  options: CommandOptions & { readonly args?: readonly string[]; readonly port?: number },
): Promise<RunningServer> {
  const port = options.port ?? (await freePort())
  const child = startCommand(['serve', '--port', String(port), ...(options.args ?? [])], options)
  let [stdout, stderr] = ['', '']
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      if (stdout.includes('Its data is in')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`keystile serve ended with ${code}: ${stderr}`)))
  })
  return {
    url: `http://localhost:${port}`,
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal)
        await once(child, 'exit')
      }
      return child.exitCode
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || address === null)
    throw new Error('a listening server must have an address')
  return address.port
}

export function startCommand(
  args: readonly string[],
  { cwd, env = {}, wrapper = [], main = ownMain }: CommandOptions,
): ChildProcess {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE, NODE_OPTIONS } = process.env
  const words = [...wrapper, process.execPath, '--conditions=source', main, ...args]
  const [program = ''] = words
  return spawn(program, words.slice(1), {
    cwd,
    env: {
      PATH,
      HOME,
      ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
      ...(NODE_OPTIONS && { NODE_OPTIONS }),
      ...testEnv,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
