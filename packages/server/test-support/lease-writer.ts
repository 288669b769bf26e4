// A process that takes the lease of background jobs again and again, and writes under it without
// asking whether it still holds it. So a pause at any moment leaves a write that comes late.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { recordAudit } from '../src/features/operations/audit/store.ts'
import { holdLease } from '../src/features/operations/lease/store.ts'
import { underLease } from '../src/server/commands.ts'
import { openDatabase } from '../src/storage/open.ts'

/** The number of writes after a process has learned that it holds the lease. */
const writesAtOnce = 20

/** What a process has learned from its writes so far. */
export interface LeaseWriterCounts {
  readonly written: number
  /** Writes that were refused because another process had taken the lease. */
  readonly lost: number
  /** Transactions that failed: PostgreSQL ended that of a paused process, or SQLite was busy. */
  readonly failed: number
}

export interface LeaseWriter {
  /** Its name in the column `holder`. */
  readonly name: string
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Ends the process, and returns its counts. */
  end(): Promise<LeaseWriterCounts>
  kill(): void
}

/** Starts a process on a database: a SQLite file or a PostgreSQL URL. */
export function startLeaseWriter(database: string, name: string): LeaseWriter {
  const child = fork(import.meta.filename, [database, name], { execArgv: ['--conditions=source'] })
  return {
    name,
    signal: (signal) => void child.kill(signal),
    async end() {
      const counted = once(child, 'message')
      child.send('end')
      const [counts] = await counted
      return counts as LeaseWriterCounts
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

async function run(source: string, holder: string): Promise<void> {
  const writerThread = new URL('../src/server/writer-thread.ts', import.meta.url)
  const database = await openDatabase(source, writerThread)
  const ending = new AbortController()
  process.on('message', () => ending.abort())
  let [written, lost, failed] = [0, 0, 0]

  async function write(fence: number): Promise<void> {
    const { isHeld } = await database.write(underLease, {
      lease: { name: 'jobs', fence },
      command: recordAudit.name,
      // The subject says under which fence the process believes to write.
      values: {
        event: 'login_refused',
        at: Date.now(),
        by: { actor: 'nobody' },
        subject: String(fence),
      },
    })
    if (isHeld) written++
    else lost++
  }

  async function writeOften(fence: number): Promise<void> {
    for (let count = 0; count < writesAtOnce; count++) {
      await write(fence)
      await delay(2) // so that many pauses are between two transactions
    }
  }

  while (!ending.signal.aborted) {
    try {
      const { fence } = await database.urgent.write(holdLease, { name: 'jobs', holder })
      if (fence === undefined) await delay(5)
      else await writeOften(fence)
    } catch {
      failed++
      await delay(5)
    }
  }
  process.send?.({ written, lost, failed } satisfies LeaseWriterCounts)
  process.disconnect?.()
  await database.close()
}

const [, , source, name] = process.argv
if (import.meta.main && source !== undefined && name !== undefined) await run(source, name)
