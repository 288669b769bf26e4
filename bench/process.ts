// Runs servers in their own processes, and reads their processor time and memory from the kernel.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'

/** The unit of the times in /proc: USER_HZ, which is the same on every Linux. */
const ticksPerSecond = 100
/** On a busy machine, a server takes several seconds to start. */
const startSeconds = 60

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface ServerProcess {
  readonly port: number
  readonly pid: number
  /**
   * Returns the processor time, in microseconds, that all threads of the process have used so far.
   */
  cpuMicroseconds(): number
  stop(): Promise<void>
}

/** Returns a TypeScript module of this repository as a program, run from source. */
export function nodeProgram(script: string, args: readonly string[] = []): Program {
  return { command: process.execPath, args: ['--conditions=source', script, ...args] }
}

/**
 * Starts a server, and waits until it answers `GET path`. The server must listen on the port that
 * the environment variable `PORT` contains.
 */
export async function startServer(program: Program, path = '/open'): Promise<ServerProcess> {
  const port = await freePort()
  const child = spawnProgram(program, port)
  const stderr = text(child.stderr!)
  try {
    await waitForAnswer(child, port, path)
  } catch (error) {
    await stopProcess(child)
    throw new Error(`${program.args.join(' ')}: ${(error as Error).message}\n${await stderr}`)
  }
  const pid = child.pid!
  return { port, pid, cpuMicroseconds: () => cpuMicroseconds(pid), stop: () => stopProcess(child) }
}

/** Starts a program with `PORT` in its environment. Only PATH and HOME are inherited. */
export function spawnProgram(
  { command, args, cwd, env = {} }: Program,
  port: number,
): ChildProcess {
  const { PATH = '', HOME = '' } = process.env
  return spawn(command, args, {
    ...(cwd !== undefined && { cwd }),
    env: { PATH, HOME, NODE_ENV: 'production', PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await exited
  clearTimeout(late)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null)
    throw new Error('a listening server must have an address')
  return address.port
}

/**
 * Waits for the first answer whose status is not 404 and not 5xx. @throws {Error} if the process
 * ends, or if there is no such answer within `startSeconds`
 */
async function waitForAnswer(child: ChildProcess, port: number, path: string): Promise<void> {
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject))
  for (const end = performance.now() + startSeconds * 1000; performance.now() < end;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the process ended')
    const answer = await Promise.race([
      fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined),
      failed,
    ])
    await answer?.arrayBuffer()
    if (answer && answer.status !== 404 && answer.status < 500) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`no answer came within ${startSeconds} s`)
}

/**
 * Returns the processor time of all threads of a process, including threads that have ended, in
 * microseconds. It is the sum of utime and stime, which are fields 14 and 15 of /proc/PID/stat
 * (proc_pid_stat(5)).
 */
function cpuMicroseconds(pid: number): number {
  const [utime, stime] = readStat(pid).slice(11, 13)
  return ((Number(utime) + Number(stime)) / ticksPerSecond) * 1e6
}

/** Returns the fields of /proc/PID/stat, from the third one on. */
function readStat(pid: number | string): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name of the program is in parentheses and may hold spaces.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

export function parentOf(pid: number): number {
  return Number(readStat(pid)[1])
}

/**
 * Returns the processor time of a process and its children, in microseconds. It includes children
 * that have ended.
 */
export function cpuMicrosecondsWithChildren(pid: number): number {
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const fields = readStat(name)
      const [utime, stime, ofEndedUser, ofEndedSystem] = fields.slice(11, 15).map(Number)
      if (Number(fields[1]) === pid) ticks += utime! + stime!
      if (Number(name) === pid) ticks += utime! + stime! + ofEndedUser! + ofEndedSystem!
    } catch {
      // The process has ended since the folder was read.
    }
  }
  return (ticks / ticksPerSecond) * 1e6
}

/** Returns the resident memory of a process, in MiB. */
export function residentMebibytes(pid: number): number {
  const [, kibibytes] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
  return Number(kibibytes) / 1024
}

/**
 * @throws {Error} if the system is not Linux, because only Linux has the /proc that the bench reads
 */
export function requireProc(): void {
  if (process.platform !== 'linux')
    throw new Error('the bench must run on Linux: it reads processor times from /proc')
}
