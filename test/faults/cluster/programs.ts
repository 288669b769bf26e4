// Programs of a test in the background: their folder, their ports and their end.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, openSync } from 'node:fs'
import { closeSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Where Debian puts programs of administrators. */
const adminFolder = '/usr/sbin'
const path = `${process.env['PATH'] ?? ''}:${adminFolder}`

/** Programs that run in one folder. */
export interface Programs {
  readonly folder: string
  /** Makes a folder for a part of the programs, and returns its path. */
  makeFolder(name: string): string
  /** Writes a file that the programs can read, and returns its path. */
  write(name: string, text: string): string
  /** Starts a program in the background. Its output goes to `NAME.log` in the folder. */
  start(name: string, command: readonly [string, ...string[]], options?: StartOptions): void
  /** Kills (SIGKILL) each process that works in a folder, and all that they start meanwhile. */
  killIn(folder: string): Promise<void>
  /** Returns the last lines of each log. */
  readLogs(): string
  /** Kills all programs, and removes the folder. */
  stop(): Promise<void>
}

interface StartOptions {
  /** The working folder. Default: the folder of all programs. */
  readonly cwd?: string
}

/**
 * Returns why the programs of a cluster cannot run here, or undefined.
 *
 * @param needed the Debian package of each program
 */
export function whyNoPrograms(needed: Readonly<Record<string, string>>): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux'
  const missing = Object.keys(needed).filter(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`], { env: { PATH: path } }).status !== 0,
  )
  if (missing.length === 0) return undefined
  return `install ${missing.map((name) => needed[name]).join(' ')}`
}

// The script waits until its input ends, which happens when the tests' process ends in any way. It
// kills the processes that work in the folder. A process may start others while the script looks
// for them, so it looks again until it finds none.
const janitorScript = `
cat >/dev/null
while :; do
  found=
  for process in /proc/[0-9]*; do
    case $(readlink "$process/cwd") in
      "$1" | "$1 (deleted)" | "$1"/*) kill -KILL "\${process#/proc/}" && found=yes ;;
    esac
  done
  [ -n "$found" ] || break
  sleep 0.1
done 2>/dev/null
tries=0
while ! rm -rf "$1" && [ "$tries" -lt 20 ]; do sleep 0.1; tries=$((tries + 1)); done
`

/**
 * Makes a folder for programs. All of them end when `stop` is called, or soon after this process
 * has ended, even if SIGKILL ends it. If root runs the tests, the programs run as `postgres`.
 */
export function openPrograms(): Programs {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-cluster-'))
  const user = unprivilegedUser()
  const give = (file: string, mode: number): void => {
    chmodSync(file, mode)
    if (user) chownSync(file, user.uid, user.gid)
  }
  give(folder, 0o755)
  // The janitor works outside of the folder: it must not kill itself.
  const janitor = spawn('sh', ['-c', janitorScript, 'sh', folder], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  })
  const cleaned = once(janitor, 'exit')

  return {
    folder,
    makeFolder(name) {
      const made = join(folder, name)
      mkdirSync(made, { recursive: true })
      give(made, 0o700)
      return made
    },
    write(name, text) {
      const file = join(folder, name)
      writeFileSync(file, text)
      give(file, 0o600)
      return file
    },
    start(name, [command, ...args], { cwd = folder } = {}) {
      const log = openSync(join(folder, `${name}.log`), 'a')
      const child = spawn(command, args, {
        ...user,
        cwd,
        env: { PATH: path, HOME: folder, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
        stdio: ['ignore', log, log],
        // Ctrl-C must not end it before the test does.
        detached: true,
      })
      closeSync(log)
      child.unref()
    },
    async killIn(part) {
      while (processesIn(part).filter((id) => kill(id)).length > 0) await delay(20)
    },
    readLogs() {
      const logs = readdirSync(folder).filter((name) => name.endsWith('.log'))
      return logs
        .map((name) => {
          const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')
          return `${name}:\n${lines.slice(-15).join('\n')}`
        })
        .join('\n\n')
    },
    async stop() {
      janitor.stdin.end()
      await cleaned
    },
  }
}

/** Returns the ids of the processes whose working folder is this folder, or is inside it. */
function processesIn(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((id) => {
      try {
        return `${readlinkSync(`/proc/${id}/cwd`)}${sep}`.startsWith(`${folder}${sep}`)
      } catch {
        return false // it has ended, or belongs to another user
      }
    })
}

/** Kills a process. Returns false if it has ended already. */
export function kill(id: number): boolean {
  try {
    return process.kill(id, 'SIGKILL')
  } catch {
    return false
  }
}

function unprivilegedUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (kind: '-u' | '-g'): number => Number(execFileSync('id', [kind, 'postgres']))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

/**
 * The first port that Linux may give to a connection of any process. A program that listens on a
 * lower port can always listen on it again after it was killed.
 */
const firstEphemeralPort = 32_768

/** Returns ports of the loopback address that no process uses. */
export async function findPorts(count: number): Promise<readonly number[]> {
  const lowest = 10_000
  for (;;) {
    const first = lowest + Math.floor(Math.random() * (firstEphemeralPort - lowest - count))
    const ports = Array.from({ length: count }, (_, n) => first + n)
    const free = await Promise.all(ports.map(isFree))
    if (free.every(Boolean)) return ports
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return false
  }
  await once(server.close(), 'close')
  return true
}

/** Waits until `isSo` returns true. @throws {Error} after the time, with the text `what` */
export async function waitUntil(
  what: string,
  isSo: () => Promise<boolean>,
  milliseconds = 180_000,
): Promise<void> {
  for (const end = performance.now() + milliseconds; !(await isSo()); await delay(100))
    if (performance.now() > end) throw new Error(`${milliseconds / 1000} s have passed: ${what}`)
}

/** Returns the folder of the newest PostgreSQL of Debian. */
export function postgresFolder(): string | undefined {
  const home = '/usr/lib/postgresql'
  const versions = existsSync(home) ? readdirSync(home).map(Number) : []
  const bins = versions.toSorted((a, b) => b - a).map((version) => `${home}/${version}/bin`)
  return bins.find((bin) => existsSync(join(bin, 'initdb')))
}
