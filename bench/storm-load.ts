// Many clients that log in at the same time, and probes of other routes while they do.
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { createAnswerReader, host, raisePriority, type AnswerReader } from './load.ts'

const maxClients = 1_024
const maxSeconds = 15
/**
 * The number of connections for probes that are opened before anything is timed. If all of them
 * wait for an answer, the next probe opens a new connection, and the time that this takes counts.
 */
const connectionsAtFirst = 64
/** Clients arrive one after the other within this time. */
const arrivalMilliseconds = 1_000
/**
 * The longest time for which a probe waits for its answer after the storm has ended. If no answer
 * has come by then, the probe counts as answered at the end of this time.
 */
const patienceMilliseconds = 5_000
/**
 * The wait before the first request. In this time, the server accepts the connections that the
 * kernel has opened.
 */
const acceptMilliseconds = 500
/**
 * The number of requests that each probe sends per second, even if the earlier requests have no
 * answer yet.
 */
const probesPerSecond = 50

/** A request that is sent again and again while other users log in. */
export interface Probe {
  readonly name: string
  readonly request: Buffer
}

export interface StormLoad {
  readonly port: number
  /**
   * The number of clients that log in. Each client has one login in flight. If a login is refused
   * with 503, the client tries again after `Retry-After`.
   */
  readonly clients: number
  readonly login: () => Buffer
  readonly probes: readonly Probe[]
  /** The time at the beginning in which logins are not counted. Probes are always counted. */
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface StormAnswers {
  readonly loginsPerSecond: number
  /** Logins that are refused with 503, per second. */
  readonly refusedPerSecond: number
  /** Milliseconds of each probe, from the time when it was due to the last byte of its answer. */
  readonly probes: ReadonlyMap<string, readonly number[]>
}

/**
 * Runs a storm of logins, and returns the number of answers and the times of the probes.
 *
 * @throws {Error} if the status of a login is not 200, 303 or 503, or if the status of a probe is not
 *   200
 */
export async function storm(load: StormLoad): Promise<StormAnswers> {
  const { port, clients, login, probes, warmUpSeconds, seconds } = load
  if (!(clients >= 0 && clients <= maxClients))
    throw new RangeError(`clients must be 0 to ${maxClients}`)
  if (!(warmUpSeconds + seconds <= maxSeconds))
    throw new RangeError(`a storm must last at most ${maxSeconds} seconds`)
  const [forLogins, forProbes] = [openConnections(port, 200, 303, 503), openConnections(port, 200)]
  await Promise.all([
    forLogins.open(clients),
    forProbes.open(probes.length > 0 ? connectionsAtFirst : 0),
  ])
  await wait(acceptMilliseconds)
  const priority = raisePriority()
  const start = performance.now() + 10
  const countFrom = start + warmUpSeconds * 1000
  const end = countFrom + seconds * 1000
  let [answered, refused] = [0, 0]
  const stopping = new AbortController()
  const patience = wait(end + patienceMilliseconds - performance.now(), undefined, {
    signal: stopping.signal,
  })
  patience.catch(() => {})

  const beClient = async (n: number): Promise<void> => {
    await wait((n * arrivalMilliseconds) / clients, undefined, { signal: stopping.signal })
    while (performance.now() < end) {
      const { status, retryAfterSeconds } = await forLogins.ask(login())
      const now = performance.now()
      if (now >= countFrom && now < end) {
        if (status === 503) refused++
        else answered++
      }
      if (status === 503)
        await wait(Math.max(1, retryAfterSeconds) * 1000, undefined, { signal: stopping.signal })
    }
  }
  const probe = async ({ request }: Probe, offset: number): Promise<readonly number[]> => {
    const answers: Promise<number>[] = []
    for (let due = start + offset; due < end; due += 1000 / probesPerSecond) {
      await wait(Math.max(0, due - performance.now()))
      const answer = Promise.race([forProbes.ask(request), patience])
      const asked = answer.then(() => performance.now() - due)
      asked.catch(() => {}) // Promise.all below throws this error
      answers.push(asked)
    }
    return Promise.all(answers)
  }

  try {
    const storming = Array.from({ length: clients }, (_, n) => beClient(n))
    const failed = new Promise<never>((_resolve, reject) => {
      for (const client of storming)
        client.catch((error: unknown) => stopping.signal.aborted || reject(error))
    })
    const probing = probes.map((each, n) =>
      probe(each, (n * 1000) / probesPerSecond / probes.length),
    )
    await Promise.race([wait(Math.max(0, end - performance.now())), failed])
    const measured = await Promise.race([Promise.all(probing), failed])
    return {
      loginsPerSecond: answered / seconds,
      refusedPerSecond: refused / seconds,
      probes: new Map(probes.map(({ name }, n) => [name, measured[n]!])),
    }
  } finally {
    stopping.abort() // the logins that are still in flight are not needed
    priority.end()
    for (const connections of [forLogins, forProbes]) connections.close()
  }
}

interface Connections {
  /** Opens connections that are idle at first. */
  open(count: number): Promise<void>
  /**
   * Sends a request on the idle connection that was used last, or on a new one if none is idle. So
   * a few connections stay in use, and the server does not close them because they are idle.
   */
  ask(request: Buffer): Promise<AnswerReader>
  close(): void
}

function openConnections(port: number, ...expected: readonly number[]): Connections {
  const idle: Socket[] = []
  const all = new Set<Socket>()

  function open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => resolve(socket))
      all.add(socket)
      socket.on('error', reject)
      socket.on('close', () => {
        all.delete(socket)
        if (idle.includes(socket)) idle.splice(idle.indexOf(socket), 1)
      })
    })
  }

  return {
    async open(count) {
      idle.push(...(await Promise.all(Array.from({ length: count }, open))))
    },
    async ask(request) {
      const socket = idle.pop() ?? (await open())
      const reader = createAnswerReader(...expected)
      return new Promise((resolve, reject) => {
        const lost = (): void =>
          reject(new Error('the server must answer before it closes the connection'))
        const read = (chunk: Buffer): void => {
          try {
            if (!reader.isWhole(chunk)) return
          } catch (error) {
            return reject(error)
          }
          socket.off('data', read).off('close', lost)
          idle.push(socket)
          resolve(reader)
        }
        socket.on('data', read).on('close', lost)
        socket.write(request)
      })
    },
    close() {
      for (const socket of all) socket.destroy()
    },
  }
}
