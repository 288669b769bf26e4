// Debian's programs in an overlay of this machine's root. Nothing is installed on the machine.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isListening } from './listening.ts'

const overlay = join(import.meta.dirname, 'in-overlay.sh')

/** Returns why Debian's packages cannot be used here, or undefined. */
export function whyNoOverlay(...packages: readonly string[]): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'it must run as root on Linux'

  const needed = ['unshare', 'chroot', 'openssl', 'apt-get']
  const missing = needed.filter((name) => spawnSync(name, ['--version']).error)
  if (missing.length > 0) return `install ${missing.join(' and ')}`

  const known = spawnSync('apt-cache', ['show', ...packages], { encoding: 'utf8' }).stdout
  const unknown = packages.filter((name) => !known.includes(`Package: ${name}\n`))
  return unknown.length > 0
    ? `run "apt-get update": it does not know ${unknown.join(', ')}`
    : undefined
}

/** A program in an overlay, and all its processes. */
export interface OverlayProgram {
  stop(): Promise<void>
}

/** What to install and what to run. */
export interface InOverlay {
  /** The folder that is /mail in the overlay. */
  readonly folder: string
  readonly packages: readonly string[]
  /** A file with a script for sh. */
  readonly script: string
  readonly args: readonly string[]
}

/** Runs a program until it ends. */
export async function runInOverlay({ folder, packages, script, args }: InOverlay): Promise<void> {
  const child = spawn(overlay, [folder, packages.join(' '), script, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${script} ended with ${code}. ${endOfLog(folder)}`)
}

/** Starts a program that listens on a port of 127.0.0.1. Resolves when it does. */
export async function startInOverlay(
  { folder, packages, script, args }: InOverlay,
  port: number,
): Promise<OverlayProgram> {
  const child = spawn(
    overlay,
    [folder, packages.join(' '), script, ...args],
    // A group of its own: postfix ends its group.
    { stdio: ['ignore', 'ignore', 'inherit'], detached: true },
  )
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  process.once('exit', () => child.kill('SIGKILL'))
  for (const deadline = Date.now() + 300_000; Date.now() < deadline; await delay(100)) {
    if (child.exitCode !== null) break
    if (await isListening(port)) return { stop }
  }
  await stop()
  throw new Error(`${script} did not start. ${endOfLog(folder)}`)
}

/** Returns what apt-get wrote last: the folder is gone when a person reads the message. */
function endOfLog(folder: string): string {
  const path = join(folder, 'install.log')
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
  return `The installation ended with:\n${lines.slice(-12).join('\n')}`
}
