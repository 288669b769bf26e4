// Measures with a server's CPU profiler how much time Keystile, the framework and Node take.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isJsonObject } from './json.ts'
import { host } from './load.ts'
import type { Program } from './process.ts'

/** Whose code ran. The code of the measured app itself counts as code of the framework. */
export const owners = ['keystile', 'framework', 'node', 'garbage'] as const
export type Owner = (typeof owners)[number]

/** The share of the time for each owner. Together they are 1. */
export type Shares = Readonly<Record<Owner, number>>

/**
 * The time between two samples. The profiler interrupts the server for each sample, so shorter
 * times would measure the profiler.
 */
const sampleMicroseconds = 500

/**
 * Changes a program so that `openProfiler` can connect to it. The program runs on the second
 * processor only: see `useFirstProcessor`.
 *
 * @param inspectorPort a free port
 */
export function profiled(program: Program, inspectorPort: number): Program {
  const options = [
    `--inspect=${host}:${inspectorPort}`,
    // Otherwise code that V8 compiled before the profile would hide its inlined functions.
    '--detailed-line-info',
  ]
  const [command, ...args] = [...onSecondProcessor(), program.command, ...options, ...program.args]
  return { ...program, command, args }
}

function onSecondProcessor(): [] | [string, ...string[]] {
  return availableParallelism() > 1 ? ['taskset', '--cpu-list', '1'] : []
}

/**
 * Moves this process to the first processor. If the load generator shared a processor with the
 * server, it would interrupt each write of the server. The profile would then count that time as
 * time of the write.
 *
 * @returns a function that undoes the move
 */
export function useFirstProcessor(): () => void {
  const [, all] =
    /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  if (all === undefined || availableParallelism() === 1) return () => {}
  const use = (processors: string): void => {
    const args = ['--all-tasks', '--cpu-list', '--pid', processors, String(process.pid)]
    const { status, stderr } = spawnSync('taskset', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`taskset failed: ${stderr}`)
  }
  use('0')
  return () => use(all)
}

/** The CPU profiler of a running server. */
export interface ServerProfiler {
  /** Records a profile while `work` runs. */
  during(work: () => Promise<unknown>): Promise<Shares>
  close(): void
}

/** Connects to the inspector of a server. @throws {Error} if it does not answer */
export async function openProfiler(inspectorPort: number): Promise<ServerProfiler> {
  const targets: unknown = await (await fetch(`http://${host}:${inspectorPort}/json/list`)).json()
  const target: unknown = Array.isArray(targets) ? targets[0] : undefined
  const url = isJsonObject(target) ? target['webSocketDebuggerUrl'] : undefined
  if (typeof url !== 'string') throw new Error('the server has no inspector')

  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })

  const call = (method: string, params = {}): Promise<unknown> =>
    callInspector(socket, method, params)
  await call('Profiler.enable')
  await call('Profiler.setSamplingInterval', { interval: sampleMicroseconds })
  return {
    async during(work) {
      await call('Profiler.start')
      await work()
      return sharesOf(((await call('Profiler.stop')) as Profiler.StopReturnType).profile)
    },
    close: () => socket.close(),
  }
}

/** Calls a method of the inspector. Only one call may run at a time. */
function callInspector(socket: WebSocket, method: string, params: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = ({ data }: MessageEvent): void => {
      const answer: unknown = JSON.parse(String(data))
      if (!isJsonObject(answer) || answer['id'] !== 1) return
      socket.removeEventListener('message', onMessage)
      if (answer['error'] === undefined) resolve(answer['result'])
      else reject(new Error(`${method} failed: ${JSON.stringify(answer['error'])}`))
    }
    socket.addEventListener('message', onMessage)
    socket.send(JSON.stringify({ id: 1, method, params }))
  })
}

/**
 * Counts the samples of a profile by owner, without those in which the server waits. An inlined
 * function counts for its own owner. A native function counts for the owner of its caller. It does
 * not add up the times between samples, because they contain the times in which other programs ran.
 *
 * @throws {Error} if no code ran during the profile
 */
export function sharesOf({ nodes, samples = [] }: Profiler.Profile): Shares {
  const ownerOf = new Map<number, Owner | undefined>()
  // A node comes before its children.
  for (const { id, callFrame, children = [] } of nodes) {
    const isIdle = callFrame.functionName === '(idle)'
    const owner = isIdle ? undefined : (ownerByFrame(callFrame) ?? ownerOf.get(id))
    ownerOf.set(id, owner)
    for (const child of children) ownerOf.set(child, owner)
  }

  const counts: Record<Owner, number> = { keystile: 0, framework: 0, node: 0, garbage: 0 }
  for (const sample of samples) {
    const owner = ownerOf.get(sample)
    if (owner) counts[owner]++
  }
  const all = owners.reduce((sum, owner) => sum + counts[owner], 0)
  if (all === 0) throw new Error('no code ran while the profile was recorded')
  const { keystile, framework, node, garbage } = counts
  return {
    keystile: keystile / all,
    framework: framework / all,
    node: node / all,
    garbage: garbage / all,
  }
}

const ourCode = pathToFileURL(join(import.meta.dirname, '..', 'packages')).href

/** Returns `undefined` for a native function. */
function ownerByFrame({ url, functionName }: Profiler.ProfileNode['callFrame']): Owner | undefined {
  if (url.startsWith(`${ourCode}/`)) return 'keystile'
  if (url.startsWith('node:')) return 'node'
  if (url !== '') return 'framework'
  if (functionName === '(garbage collector)') return 'garbage'
  // Below the root is the code of Node in C++, with the kernel: "(program)".
  return functionName === '(root)' ? 'node' : undefined
}
