import { parentPort, workerData } from 'node:worker_threads'
import { Kysely } from 'kysely'
import { DatabaseUnavailableError, type AnyCommand } from './database.ts'
import { migrate } from './migrate.ts'
import { openSqliteFile, sqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

export interface WriterRequest {
  readonly id: number
  readonly command: string
  readonly values: unknown
}

export type WriterReply =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number
      readonly error: { readonly message: string; readonly code: string | undefined; readonly isUnavailable: boolean }
    }

/** The reply to opening the file: the id that no request has. */
export const openingId = 0

/**
 * The life of the writer thread: it opens the file, migrates it, and runs the commands it is sent one after the other,
 * each in a transaction. A commit waits for the disk; here that holds up no request.
 */
export async function serveCommands(commands: readonly AnyCommand[]): Promise<void> {
  const port = parentPort!
  const byName = new Map(commands.map((command) => [command.name, command]))
  if (byName.size !== commands.length) throw new Error('two commands have one name')
  let db: Kysely<Tables>
  const reply = async (id: number, work: () => Promise<unknown>): Promise<void> => {
    try {
      port.postMessage({ id, result: await work() } satisfies WriterReply)
    } catch (error) {
      const { message, code } = error as { message: string; code?: string }
      const isUnavailable = error instanceof DatabaseUnavailableError
      port.postMessage({ id, error: { message, code, isUnavailable } } satisfies WriterReply)
    }
  }
  await reply(openingId, async () => {
    db = new Kysely<Tables>({
      dialect: sqliteDialect(openSqliteFile((workerData as { file: string }).file, { readOnly: false })),
    })
    await migrate(db, 'sqlite')
  })
  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: WriterRequest | 'close') => {
    last = last.then(async () => {
      if (request === 'close') {
        await db.destroy()
        port.close()
        return
      }
      await reply(request.id, () => {
        const command = byName.get(request.command)
        if (!command) throw new Error(`the writer thread knows no command "${request.command}"`)
        return db.transaction().execute((transaction) => command.run(transaction, request.values as never))
      })
    })
  })
}
