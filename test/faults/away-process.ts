// A Keystile in a process of its own, which sends requests to itself. A network namespace may
// separate it from its database.
import { fork, type ForkOptions } from 'node:child_process'
import { once } from 'node:events'
import {
  key,
  startKeystile,
  type SendOptions,
} from '../../packages/server/test-support/keystile.ts'

interface Told {
  readonly method: string
  readonly path: string
  readonly options: SendOptions
}

export interface TimedAnswer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
  readonly milliseconds: number
}

export interface AwayProcess {
  send(method: string, path: string, options: SendOptions): Promise<TimedAnswer>
  kill(): Promise<void>
}

/** @param options how to start the process: by default like this one */
export async function startAwayProcess(
  database: string,
  options: ForkOptions = { execArgv: ['--conditions=source'] },
): Promise<AwayProcess> {
  const child = fork(import.meta.filename, [database], options)
  const ended = once(child, 'exit')
  const reply = async (): Promise<unknown> => {
    const failed = ended.then(([code]) => Promise.reject(new Error(`the process ended: ${code}`)))
    return (await Promise.race([once(child, 'message'), failed]))[0]
  }
  await reply()
  return {
    async send(method, path, sendOptions) {
      child.send({ method, path, options: sendOptions } satisfies Told)
      return (await reply()) as TimedAnswer
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function serve(database: string): Promise<void> {
  const { send } = await startKeystile({ database, key })
  process.on('message', async ({ method, path, options }: Told) => {
    const begin = performance.now()
    const { status, json } = await send(method, path, options)
    const milliseconds = Math.round(performance.now() - begin)
    process.send!({ status, json, milliseconds } satisfies TimedAnswer)
  })
  process.once('disconnect', () => process.exit())
  process.send!('ready')
}

if (import.meta.main) await serve(process.argv[2]!)
