import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { inheritedArguments } from '../../../base/inherited-arguments.ts'
import type { HashOrder, HashReply, HashRequest } from './hash-thread.ts'

export interface HashJob {
  readonly request: HashRequest
  resolve(result: string | boolean): void
  reject(error: Error): void
}

/** A pool of threads. Each thread runs one job at a time. */
export interface HashPool {
  /**
   * Whether a job can begin now: either a thread is idle, or the pool may start one more thread.
   */
  isFree(): boolean
  /** Begins a job. Call it only if `isFree()` returns true. */
  begin(job: HashJob): void
  /** Waits for the running jobs, then ends all threads. */
  close(): Promise<void>
}

interface HashPoolOptions {
  /** A clock in milliseconds. It may start at any number. */
  readonly now: () => number
  /** Called after each job with its duration. */
  readonly onMeasured: (milliseconds: number) => void
  readonly onFree: () => void
}

interface Running {
  readonly id: number
  readonly job: HashJob
  readonly startedAt: number
}

/**
 * Opens a pool. It starts a thread only when a job needs one.
 *
 * @param count the largest number of threads
 */
export function openHashPool(
  count: number,
  { now, onMeasured, onFree }: HashPoolOptions,
): HashPool {
  // A thread is idle or busy from its start to its exit.
  const idle = new Set<Worker>()
  const busy = new Map<Worker, Running>()
  let lastId = 0
  let isClosing = false

  function start(): Worker {
    const worker = startThread()
    worker.on('message', (message: unknown) => {
      const running = busy.get(worker)
      // Under `node --watch`, Node posts messages of its own here. Only the reply to the running
      // job may decide about a password.
      if (running && isReplyTo(running.id, message)) finish(worker, running, message)
    })
    worker.on('error', () => {}) // `exit` follows, and `remove` handles it
    worker.once('exit', (code) => remove(worker, code))
    return worker
  }

  /** Moves a thread from busy to idle. */
  function finish(worker: Worker, { job, startedAt }: Running, reply: HashReply): void {
    busy.delete(worker)
    idle.add(worker)
    // An idle thread must not prevent the exit of the process.
    if (!isClosing) worker.unref()

    onMeasured(now() - startedAt)
    if ('error' in reply) job.reject(new Error(reply.error))
    else job.resolve(reply.result)
    onFree()
  }

  function remove(worker: Worker, exitCode: number): void {
    idle.delete(worker)
    busy.get(worker)?.job.reject(new Error(`a hash thread ended with exit code ${exitCode}`))
    busy.delete(worker)
    onFree()
  }

  return {
    isFree: () => busy.size < count,
    begin(job) {
      const [worker = start()] = idle
      idle.delete(worker)
      const id = ++lastId
      busy.set(worker, { id, job, startedAt: now() })
      worker.ref()
      worker.postMessage({ id, request: job.request } satisfies HashOrder)
    },
    async close() {
      isClosing = true
      await Promise.all([...idle, ...busy.keys()].map(askToEnd))
    },
  }
}

function startThread(): Worker {
  return new Worker(new URL(import.meta.resolve('#hash-thread')), {
    name: 'keystile-hash',
    execArgv: inheritedArguments(),
    // A thread has only one message at a time. Without this limit, V8 would let old messages fill
    // up to 64 MiB.
    resourceLimits: { maxYoungGenerationSizeMb: 3 },
  })
}

/** Whether a message of a thread is the reply to the job with this id. Exported for its test. */
export function isReplyTo(id: number, message: unknown): message is HashReply {
  return (
    typeof message === 'object' &&
    message !== null &&
    'id' in message &&
    message.id === id &&
    ('result' in message || 'error' in message)
  )
}

/**
 * Asks a thread to end and waits for it. Does not use `terminate()`: Node 26 can abort the process
 * if the thread is still loading its modules.
 */
async function askToEnd(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit')
  worker.ref()
  worker.postMessage('close')
  await ended
}
