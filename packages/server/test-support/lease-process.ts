// A process that wants the lease of background jobs, and that writes under the lease when it is
// told to.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { silentLogger } from 'keystile/internal'
import { recordAudit } from '../src/features/operations/audit/store.ts'
import { openLease } from '../src/features/operations/lease/lease.ts'
import { underLease } from '../src/server/commands.ts'
import { openDatabase } from '../src/storage/open.ts'

/** A message of the process: it took the lease, or the outcome of a write. */
type Told = 'taken' | 'written' | 'lost'

export interface LeaseProcess {
  /** Resolves when the process has taken the lease. */
  readonly taken: Promise<void>
  /** Writes an audit entry under the lease that the process took last. Returns the outcome. */
  write(): Promise<'written' | 'lost'>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Kills the process. */
  kill(): Promise<void>
}

/** Starts a process on a database: a SQLite file or a PostgreSQL URL. */
export function startLeaseProcess(database: string): LeaseProcess {
  const child = fork(import.meta.filename, [database], { execArgv: ['--conditions=source'] })
  const ended = once(child, 'exit')
  const told = (wanted: readonly Told[]): Promise<Told> =>
    new Promise((resolve) => {
      const listen = (message: unknown): void => {
        const found = wanted.find((one) => one === message)
        if (found === undefined) return
        child.off('message', listen)
        resolve(found)
      }
      child.on('message', listen)
    })
  return {
    taken: told(['taken']).then(() => {}),
    async write() {
      const outcome = told(['written', 'lost'])
      child.send('write')
      return (await outcome) === 'written' ? 'written' : 'lost'
    },
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function run(source: string): Promise<void> {
  const database = await openDatabase(
    source,
    new URL('../src/server/writer-thread.ts', import.meta.url),
  )
  const lease = openLease(database, { underLease, logger: silentLogger })
  // The fence is remembered, so that a late write is refused by the database and not by what this
  // process has learned meanwhile.
  let fence: number | undefined
  lease.onTaken(async () => {
    fence ??= Number(
      (
        await database.reader
          .selectFrom('lease' as never)
          .selectAll()
          .execute()
      )
        .map((row) => (row as { readonly fence: number }).fence)
        .at(0),
    )
    process.send?.('taken')
  })
  process.on('message', async () => {
    const entry = { event: 'login_refused', at: Date.now(), by: { actor: 'nobody' } } as const
    const { isHeld } = await database.write(underLease, {
      lease: { name: 'jobs', fence: fence ?? 0 },
      command: recordAudit.name,
      values: entry,
    })
    process.send?.(isHeld ? 'written' : 'lost')
  })
}

const [, , source] = process.argv
if (import.meta.main && source !== undefined) await run(source)
