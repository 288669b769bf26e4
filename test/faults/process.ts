// Runs Keystile in a process of its own. For each message, the process sends the requests in the
// message to its Keystile, all at the same time.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import type { DurableAppEvent } from '@keystile/server'
import pg from 'pg'
import {
  createTestClock,
  startKeystile,
  type Answer,
  type SendOptions,
} from '../../packages/server/test-support/keystile.ts'

/**
 * One connection for each request that a process sends at the same time, so that no request waits
 * in the queue, and one for the feed.
 */
const connections = 22

/** A request: its method, its path below the issuer, its body and its headers. */
export type AskedRequest = readonly [method: string, path: string, options: SendOptions]
/** The part of an answer that goes from one process to another. */
export type ToldAnswer = Pick<Answer, 'status' | 'json'>

interface Told {
  /** How far to move the clock of the process. The clock does not move by itself. */
  readonly advanceSeconds: number
  readonly requests: readonly AskedRequest[]
}

/** The settings of a process that sends mails or handles events. */
export interface ProcessSettings {
  readonly mailUrl?: string
  readonly mailFrom?: string
  /**
   * A file. The process handles durable events: it writes the id of an event into this file, and
   * kills itself (SIGKILL) before it can store that the event was handled.
   */
  readonly diesAfterEvent?: string
}

export interface KeystileProcess {
  /** Sends all requests at the same time and returns the answers in the order of the requests. */
  ask(requests: readonly AskedRequest[]): Promise<readonly ToldAnswer[]>
  advance(seconds: number): Promise<void>
  /** Pauses the process (SIGSTOP), as if the whole machine was paused. */
  freeze(): void
  thaw(): void
  /** Kills the process (SIGKILL). */
  kill(): void
  stop(): Promise<void>
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>
}

/**
 * Starts a process on a database: a SQLite file or a PostgreSQL URL. It opens 22 connections to
 * PostgreSQL.
 */
export async function startProcess(
  database: string,
  options: ProcessSettings = {},
): Promise<KeystileProcess> {
  const child = fork(import.meta.filename, [database, JSON.stringify(options)], {
    execArgv: ['--conditions=source'],
  })
  const ended = once(child, 'exit')
  const reply = async (): Promise<readonly ToldAnswer[]> => {
    const [answers] = await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => Promise.reject(new Error(`the process has ended with ${code}`))),
    ])
    return answers as readonly ToldAnswer[]
  }
  const tell = (told: Told): Promise<readonly ToldAnswer[]> => {
    child.send(told)
    return reply()
  }
  await reply()
  return {
    ask: (requests) => tell({ advanceSeconds: 0, requests }),
    advance: async (advanceSeconds) => void (await tell({ advanceSeconds, requests: [] })),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: () => void child.kill('SIGKILL'),
    ended,
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

async function serve(
  database: string,
  { diesAfterEvent: file, ...options }: ProcessSettings,
): Promise<void> {
  const pool = database.startsWith('postgres:')
    ? new pg.Pool({ connectionString: database, max: connections })
    : undefined
  const clock = createTestClock()
  const { send, keystile } = await startKeystile({
    database: pool ?? database,
    clock,
    ...options,
    ...(file !== undefined && { onEvent: { durable: true, handle: handleAndDie } }),
  })
  function handleAndDie({ id }: DurableAppEvent): void {
    appendFileSync(file ?? '', `${id}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
  process.on('message', async ({ advanceSeconds, requests }: Told) => {
    clock.advance(advanceSeconds)
    const answers = await Promise.all(requests.map((request) => send(...request)))
    process.send!(answers.map(({ status, json }) => ({ status, json }) satisfies ToldAnswer))
  })
  process.once('disconnect', async () => {
    await keystile.close()
    await pool?.end()
  })
  process.send!([])
}

if (import.meta.main)
  await serve(process.argv[2]!, JSON.parse(process.argv[3] ?? '{}') as ProcessSettings)
