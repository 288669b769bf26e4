// Measures servers in turns (A B C A B C …), so that a slow minute of the machine affects all
// servers.
import { inTurn, onceEach, openLoad, type Answers, type Chain } from './load.ts'
import { requireProc, startServer, type Program, type ServerProcess } from './process.ts'

/** The number of connections to a server. With 16, none of the servers has to wait for requests. */
export const connections = 16
/**
 * The length of the warm-up at the start of each turn, as a share of the turn. It is not measured,
 * because the server is still accepting connections.
 */
export const warmUpShare = 0.1
/**
 * The shortest time for which each lane runs before the first round. Node compiles the code fully
 * only after some ten thousand requests.
 */
export const warmUpSeconds = 2

export interface Effort {
  readonly rounds: number
  /** Seconds of load on each lane in each round. */
  readonly seconds: number
  /**
   * Whether to do less of everything. A quick run only shows that the bench works. It does not show
   * how fast the servers are.
   */
  readonly quick: boolean
  /** The number of users in the large databases of `scale`. Default: a million. */
  readonly users?: number
}

/** One thing that is measured: a server, and the requests that are sent to it. */
export interface Lane {
  readonly name: string
  readonly server: ServerProcess
  readonly requests: readonly Buffer[]
  /**
   * Whether each request may be sent only once. If there are not enough requests for all turns, the
   * measurement fails.
   */
  readonly once?: boolean
  /** Sends the requests of a chain, and none of `requests`. */
  readonly chain?: Chain
  readonly expect?: number
  readonly connections?: number
}

/** The measurements of a lane, with one value for each round. */
export interface Measured {
  /** Processor time of the server for one request, in microseconds. */
  readonly cpu: readonly number[]
  /** Answers per second. */
  readonly rate: readonly number[]
}

/**
 * Measures lanes in turns. Before the first round, each lane gets a turn that only warms it up.
 * @returns the measurements, by the name of the lane
 */
export async function measureInTurns(
  lanes: readonly Lane[],
  effort: Effort,
): Promise<ReadonlyMap<string, Measured>> {
  requireProc()
  const measured = new Map(
    lanes.map(({ name }) => [name, { cpu: [] as number[], rate: [] as number[] }]),
  )
  const turns = lanes.map((lane) => ({
    lane,
    next: lane.chain ? lane.chain.next : (lane.once ? onceEach : inTurn)(lane.requests),
  }))
  for (let round = -1; round < effort.rounds; round++) {
    for (const { lane, next } of turns) {
      const turn = await measureTurn(
        lane,
        next,
        round < 0 ? firstTurnSeconds(effort) : effort.seconds,
      )
      if (round < 0) continue
      const { cpu, rate } = measured.get(lane.name)!
      cpu.push(turn.cpu)
      rate.push(turn.rate)
    }
  }
  return measured
}

function firstTurnSeconds({ quick, seconds }: Effort): number {
  return quick ? seconds : Math.max(warmUpSeconds, seconds)
}

/** Returns how long each lane runs in all its turns together. */
export function secondsOfLane(effort: Effort): number {
  return (1 + warmUpShare) * (firstTurnSeconds(effort) + effort.rounds * effort.seconds)
}

/**
 * Runs one turn of a lane. Opens new connections for it, because a server closes idle connections
 * during the turns of other servers.
 */
async function measureTurn(
  lane: Lane,
  next: () => Buffer,
  seconds: number,
): Promise<{ readonly cpu: number; readonly rate: number }> {
  const { server, expect = 200 } = lane
  const load = await openLoad({ port: server.port, connections: lane.connections ?? connections })
  try {
    const run = (length: number): Promise<Answers> =>
      load.run({ next, seconds: length, expect, onBody: lane.chain?.onBody })
    await run(seconds * warmUpShare)
    const before = server.cpuMicroseconds()
    const { answered, seconds: measured } = await run(seconds)
    return {
      cpu: (server.cpuMicroseconds() - before) / answered,
      rate: answered / measured,
    }
  } finally {
    load.close()
  }
}

/**
 * The number of servers that start at the same time. If more started together, they would get too
 * little processor time, and would reach the timeout for a start.
 */
const startedTogether = 4

/**
 * Starts servers, a few at a time, and calls `use` with all of them. Stops them all when `use` has
 * ended or failed.
 */
export async function withServers<T>(
  programs: Readonly<Record<string, Program>>,
  use: (servers: Readonly<Record<string, ServerProcess>>) => Promise<T>,
  path?: string,
): Promise<T> {
  const names = Object.keys(programs)
  const running: ServerProcess[] = []
  try {
    for (let n = 0; n < names.length; n += startedTogether) {
      const batch = names.slice(n, n + startedTogether)
      const started = await Promise.allSettled(
        batch.map((name) => startServer(programs[name]!, path)),
      )
      for (const result of started) if (result.status === 'fulfilled') running.push(result.value)
      for (const result of started) if (result.status === 'rejected') throw result.reason
    }
    return await use(Object.fromEntries(names.map((name, index) => [name, running[index]!])))
  } finally {
    await Promise.all(running.map((server) => server.stop()))
  }
}
