// Servers measured in turns: A B C A B C …, so that a slow minute of the machine falls on all of them.
import { openLoad, type OpenLoad } from './load.ts'
import { requireProc, startServer, type Program, type ServerProcess } from './process.ts'

/** Enough to keep any of the servers busy without a pause. */
export const connections = 16

export interface Effort {
  readonly rounds: number
  /** Of load, on each lane in each round. */
  readonly seconds: number
  /** Fewer of everything: to see that it works, not how fast it is. */
  readonly quick: boolean
}

/** One thing that is measured: a server, and what it is asked. */
export interface Lane {
  readonly name: string
  readonly server: ServerProcess
  readonly requests: readonly Buffer[]
  readonly expect?: number
  readonly connections?: number
}

/** A value for each round. */
export interface Measured {
  /** Processor time of the server for one request, in microseconds. */
  readonly cpu: readonly number[]
  /** Answers a second. */
  readonly rate: readonly number[]
}

/** Measures lanes in turns, and warms each up before the first round. @returns what was measured, by name */
export async function measureInTurns(lanes: readonly Lane[], effort: Effort): Promise<ReadonlyMap<string, Measured>> {
  requireProc()
  const measured = new Map(lanes.map(({ name }) => [name, { cpu: [] as number[], rate: [] as number[] }]))
  const loads: OpenLoad[] = []
  try {
    for (const lane of lanes) {
      const load = await openLoad({ port: lane.server.port, connections: lane.connections ?? connections })
      loads.push(load)
      await runLane(lane, load, effort.seconds)
    }
    for (let round = 0; round < effort.rounds; round++) {
      for (const [index, lane] of lanes.entries()) {
        const before = lane.server.cpuMicroseconds()
        const { answered, seconds } = await runLane(lane, loads[index]!, effort.seconds)
        const { cpu, rate } = measured.get(lane.name)!
        cpu.push((lane.server.cpuMicroseconds() - before) / answered)
        rate.push(answered / seconds)
      }
    }
  } finally {
    for (const load of loads) load.close()
  }
  return measured
}

function runLane(lane: Lane, load: OpenLoad, seconds: number): ReturnType<OpenLoad['run']> {
  return load.run({ requests: lane.requests, seconds, expect: lane.expect ?? 200 })
}

/** Starts servers together, and stops them all when `use` has ended, whichever way. */
export async function withServers<T>(
  programs: Readonly<Record<string, Program>>,
  use: (servers: Readonly<Record<string, ServerProcess>>) => Promise<T>,
  path?: string,
): Promise<T> {
  const names = Object.keys(programs)
  const started = await Promise.allSettled(names.map((name) => startServer(programs[name]!, path)))
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  try {
    for (const result of started) if (result.status === 'rejected') throw result.reason
    return await use(Object.fromEntries(names.map((name, index) => [name, running[index]!])))
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
}
