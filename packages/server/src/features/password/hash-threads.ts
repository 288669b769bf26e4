import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ProblemError } from 'keystile/internal'
import { inheritedArguments } from '../../base/inherited-arguments.ts'
import type { Argon2Parameters } from './argon2.ts'
import type { HashReply, HashRequest } from './hash-thread.ts'

/** More waiting than this would be answered after their clients gave up: at 100 hashes a second, 2 s. */
const maxWaiting = 200

/** Threads that do nothing but hash, so that no guard and no commit waits behind a password. */
export interface HashThreads {
  /** @throws {ProblemError} `temporarily_unavailable` when too many wait already */
  hash(password: Uint8Array, parameters?: Argon2Parameters): Promise<string>
  /** @throws {ProblemError} `temporarily_unavailable` when too many wait already */
  verify(password: Uint8Array, stored: string): Promise<boolean>
  close(): Promise<void>
}

interface Job {
  readonly request: HashRequest
  resolve(result: string | boolean): void
  reject(error: Error): void
}

function closing(): ProblemError {
  return new ProblemError('temporarily_unavailable', 'The server is stopping', { retryAfterSeconds: 1 })
}

/** @param count as many threads as may run; each is started when there is work for it */
export function openHashThreads(count: number = availableParallelism()): HashThreads {
  const script = new URL(import.meta.resolve('#hash-thread'))
  const waiting: Job[] = []
  const idle: Worker[] = []
  const busy = new Map<Worker, Job>()
  const workers = new Set<Worker>()
  let closed = false

  function start(): Worker {
    const worker = new Worker(script, { name: 'keystile-hash', execArgv: [...inheritedArguments] })
    workers.add(worker)
    worker.on('message', (reply: HashReply) => {
      const job = busy.get(worker)
      busy.delete(worker)
      idle.push(worker)
      // A process may end while nobody's password is under way.
      if (!closed) worker.unref()
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

  function dispatch(): void {
    while (waiting.length > 0 && (idle.length > 0 || workers.size < count)) {
      const worker = idle.pop() ?? start()
      const job = waiting.shift()!
      busy.set(worker, job)
      worker.ref()
      worker.postMessage(job.request)
    }
  }

  function run(request: HashRequest): Promise<string | boolean> {
    if (closed) return Promise.reject(closing())
    if (waiting.length >= maxWaiting) {
      const details = { reason: 'hash queue is full', retryAfterSeconds: 2 }
      return Promise.reject(new ProblemError('temporarily_unavailable', 'Too many logins at the moment', details))
    }
    return new Promise((resolve, reject) => {
      waiting.push({ request, resolve, reject })
      dispatch()
    })
  }

  return {
    hash: (password, parameters) => run({ password, parameters }) as Promise<string>,
    verify: (password, stored) => run({ password, stored }) as Promise<boolean>,
    async close() {
      closed = true
      for (const job of waiting.splice(0)) job.reject(closing())
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
