import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ProblemError } from 'keystile/internal'
import { inheritedArguments } from '../../base/inherited-arguments.ts'
import type { Argon2Parameters } from './argon2.ts'
import { networkOf } from '../../base/network.ts'
import { createFairQueue } from './fair-queue.ts'
import type { HashReply, HashRequest } from './hash-thread.ts'

/** What is not begun by then is refused: a client that hears nothing gives up, or sends it again. */
const maxWaitMilliseconds = 2_000
/** Bounds the memory. Long before, most of what waits could not be begun in time. */
const placesOfThread = 500
/** Of a hash, until one was measured. */
const assumedMilliseconds = 20
/** The share of the newest hash in the measured mean: some dozen tell a new rate. */
const newestShare = 1 / 16

/**
 * Threads that do nothing but hash, so that no guard and no commit waits behind a password. What waits for them is served
 * in turns between the addresses it came from (IPv6: networks of 64 bits), so that many from one hold up no other.
 */
export interface HashThreads {
  /**
   * Asks for nothing: so that what would be refused is refused before anything else is done for it.
   *
   * @returns milliseconds until a hash that is asked for now is begun, by the present rate
   * @throws {ProblemError} `temporarily_unavailable` when a hash that is asked for now could not be begun within 2 s
   */
  requireRoom(address?: string): number
  /**
   * @param address of whoever sent the password, if anybody did
   * @param salt in base64, of another hash of the same password; without one, a new salt
   * @throws {ProblemError} `temporarily_unavailable` at once when it could not be begun within 2 s, else after 2 s when it was not
   */
  hash(password: Uint8Array, address?: string, parameters?: Argon2Parameters, salt?: string): Promise<string>
  /** @throws {ProblemError} as `hash` does */
  verify(password: Uint8Array, stored: string, address?: string): Promise<boolean>
  close(): Promise<void>
}

interface Job {
  readonly request: HashRequest
  readonly deadline: number
  resolve(result: string | boolean): void
  reject(error: Error): void
}

interface RunningJob extends Job {
  readonly begun: number
}

function closing(): ProblemError {
  return new ProblemError('temporarily_unavailable', 'The server is stopping', {
    reason: 'server_stopping',
    retryAfterSeconds: 1,
  })
}

/**
 * @param count as many threads as may run; each is started when there is work for it
 * @param now milliseconds that only ever grow
 */
export function openHashThreads(
  count: number = availableParallelism(),
  now: () => number = () => performance.now(),
): HashThreads {
  const script = new URL(import.meta.resolve('#hash-thread'))
  const waiting = createFairQueue<Job>(count * placesOfThread)
  const idle: Worker[] = []
  const busy = new Map<Worker, RunningJob>()
  const workers = new Set<Worker>()
  let meanMilliseconds = assumedMilliseconds
  let deadline: NodeJS.Timeout | undefined
  let closed = false

  function start(): Worker {
    // A message is all that it has at a time: V8 would let more of them lie, up to 64 MiB a thread.
    const worker = new Worker(script, {
      name: 'keystile-hash',
      execArgv: [...inheritedArguments],
      resourceLimits: { maxYoungGenerationSizeMb: 3 },
    })
    workers.add(worker)
    worker.on('message', (reply: HashReply) => {
      const job = busy.get(worker)
      busy.delete(worker)
      idle.push(worker)
      // A process may end while nobody's password is under way.
      if (!closed) worker.unref()
      if (job) meanMilliseconds += (now() - job.begun - meanMilliseconds) * newestShare
      if ('error' in reply) job?.reject(new Error(reply.error))
      else job?.resolve(reply.result)
      dispatch()
    })
    worker.on('error', () => {}) // its exit follows, and that is what counts
    worker.once('exit', (code) => {
      workers.delete(worker)
      if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1)
      busy.get(worker)?.reject(new Error(`a hash thread ended with exit code ${code}`))
      busy.delete(worker)
      dispatch()
    })
    return worker
  }

  const isFree = (): boolean => idle.length > 0 || workers.size < count
  /** Until as many were begun, by the present rate. */
  const millisecondsUntil = (jobs: number): number => (jobs * meanMilliseconds) / count

  function dispatch(): void {
    refuseLate()
    while (isFree()) {
      const job = waiting.take()
      if (!job) return
      const worker = idle.pop() ?? start()
      busy.set(worker, { ...job, begun: now() })
      worker.ref()
      worker.postMessage(job.request)
    }
  }

  function refuseLate(): void {
    let oldest = waiting.oldest
    for (; oldest && oldest.deadline <= now(); oldest = waiting.oldest) {
      waiting.takeOldest()
      refuse(oldest)
    }
    if (deadline || !oldest) return
    const left = oldest.deadline - now()
    deadline = setTimeout(() => {
      deadline = undefined
      refuseLate()
    }, Math.ceil(left)).unref() // what waits is kept alive by what is under way
  }

  function tooMany(): ProblemError {
    const retryAfterSeconds = Math.max(1, Math.ceil(millisecondsUntil(waiting.size) / 1000))
    const details = { reason: 'hash_queue_full', retryAfterSeconds } as const
    return new ProblemError('temporarily_unavailable', 'Too many logins at the moment', details)
  }

  const refuse = (job: Job): void => job.reject(tooMany())

  function requireRoomFor(sender: string): number {
    const wait = isFree() ? 0 : millisecondsUntil(waiting.ahead(sender) + 1)
    if (wait > maxWaitMilliseconds) throw tooMany()
    return wait
  }

  function run(request: HashRequest, address: string | undefined): Promise<string | boolean> {
    if (closed) return Promise.reject(closing())
    const sender = senderOf(address)
    return new Promise((resolve, reject) => {
      requireRoomFor(sender)
      const job = { request, deadline: now() + maxWaitMilliseconds, resolve, reject }
      const evicted = waiting.add(sender, job)
      if (evicted) refuse(evicted)
      dispatch()
    })
  }

  return {
    requireRoom: (address) => requireRoomFor(senderOf(address)),
    hash: (password, address, parameters, salt) => run({ password, parameters, salt }, address) as Promise<string>,
    verify: (password, stored, address) => run({ password, stored }, address) as Promise<boolean>,
    async close() {
      closed = true
      clearTimeout(deadline)
      for (let job = waiting.take(); job; job = waiting.take()) job.reject(closing())
      // Asked, not terminated: Node 26 can abort when a thread is terminated while it loads its modules.
      const ended = [...workers].map((worker) => {
        worker.ref()
        worker.postMessage('close')
        return once(worker, 'exit')
      })
      await Promise.all(ended)
    },
  }
}

function senderOf(address: string | undefined): string {
  return address === undefined ? '' : networkOf(address)
}
