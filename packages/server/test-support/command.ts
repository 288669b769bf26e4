// The command `keystile` as a process of its own, from source.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const main = join(import.meta.dirname, '../src/cli/main.ts')

export interface CommandOptions {
  readonly cwd: string
  /** Besides PATH and HOME; nothing else of ours is passed on. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

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

export interface RunningServer {
  readonly url: string
  readonly child: ChildProcess
  /** What it has printed so far. */
  stdout(): string
  stderr(): string
  /** Ends it by a signal and waits for it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `keystile serve` on a free port and waits until it says that it listens. */
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
      if (stdout.includes('users/me')) resolve()
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
    throw new Error('a listening server has an address')
  return address.port
}

export function startCommand(
  args: readonly string[],
  { cwd, env = {} }: CommandOptions,
): ChildProcess {
  const { PATH = '', HOME = '' } = process.env
  return spawn(process.execPath, ['--conditions=source', main, ...args], {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
