import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { inheritedArguments } from '../../base/inherited-arguments.ts'
import type { HashReply, HashRequest } from './hash-thread.ts'

/** A password to hash or to verify, and the caller who waits for the result. */
export interface HashJob {
  readonly request: HashRequest
  resolve(result: string | boolean): void
  reject(error: Error): void
}

/** Threads that run one job each. */
export interface HashPool {
  /** Whether a job can begin now: a thread is idle, or one more may start. */
  isFree(): boolean
  /** Begins a job. Call it only while a thread is free. */
  begin(job: HashJob): void
  /** Lets running jobs end, then ends all threads. */
  close(): Promise<void>
}

interface HashPoolOptions {
  /** In milliseconds, from any start. */
  readonly now: () => number
  /** Called after each job. */
  readonly onMeasured: (milliseconds: number) => void
  /** Called when a job can begin. */
  readonly onFree: () => void
}

interface Running {
  readonly job: HashJob
  readonly startedAt: number
}

/** @param count how many threads may run; each starts when there is a job for it */
export function openHashPool(
  count: number,
  { now, onMeasured, onFree }: HashPoolOptions,
): HashPool {
  const script = new URL(import.meta.resolve('#hash-thread'))
  // A thread is idle or busy from its start to its exit.
  const idle: Worker[] = []
  const busy = new Map<Worker, Running>()
  let isClosing = false

  function start(): Worker {
    const worker = new Worker(script, {
      name: 'keystile-hash',
      execArgv: [...inheritedArguments],
      // A thread has one message at a time. V8 would let old ones grow it by up to 64 MiB.
      resourceLimits: { maxYoungGenerationSizeMb: 3 },
    })
    worker.on('message', (reply: HashReply) => finish(worker, reply))
    worker.on('error', () => {}) // the exit follows and is handled
    worker.once('exit', (code) => remove(worker, code))
    return worker
  }

  /** From busy to idle. */
  function finish(worker: Worker, reply: HashReply): void {
    const running = busy.get(worker)
    busy.delete(worker)
    idle.push(worker)
    // The process may end while no job is running.
    if (!isClosing) worker.unref()

    if (running) onMeasured(now() - running.startedAt)
    if ('error' in reply) running?.job.reject(new Error(reply.error))
    else running?.job.resolve(reply.result)
    onFree()
  }

  /** From idle or busy to ended. */
  function remove(worker: Worker, exitCode: number): void {
    if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1)
    busy.get(worker)?.job.reject(new Error(`a hash thread ended with exit code ${exitCode}`))
    busy.delete(worker)
    onFree()
  }

  return {
    isFree: () => idle.length > 0 || busy.size < count,
    begin(job) {
      const worker = idle.pop() ?? start()
      busy.set(worker, { job, startedAt: now() })
      worker.ref()
      worker.postMessage(job.request)
    },
    async close() {
      isClosing = true
      await Promise.all([...idle, ...busy.keys()].map(askToEnd))
    },
  }
}

/**
 * Does not terminate the thread: Node 26 can abort when a thread that loads its modules is
 * terminated.
 */
async function askToEnd(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit')
  worker.ref()
  worker.postMessage('close')
  await ended
}
