// Several servers on one database. Each request goes to one of those that run.
import { setTimeout as wait } from 'node:timers/promises'
import { startServer, type RunningServer } from '../../packages/server/test-support/command.ts'
import {
  issuer,
  key,
  readAnswer,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'
import type { Ask } from './load.ts'
import type { Random } from './random.ts'

export interface Fleet {
  readonly servers: readonly RunningServer[]
  /** Sends a request to one of the servers. */
  readonly ask: Ask
  /** Sends a request to the server with this number. */
  askOne(number: number, path: string, init: RequestInit): Promise<Answer>
  /** Kills the server with this number (SIGKILL), and starts another one in its place. */
  replace(number: number): Promise<void>
  /** Requests go only to the other servers until the returned function is called. */
  avoid(number: number): () => void
  /** Waits until each server that is not avoided has read all revocations. */
  settle(): Promise<void>
  stop(): Promise<void>
}

/** @param environments the environment of each server */
export async function startFleet(
  database: string,
  random: Random,
  environments: readonly Readonly<Record<string, string>>[],
): Promise<Fleet> {
  const start = (env: Readonly<Record<string, string>> = {}): Promise<RunningServer> =>
    startServer({
      cwd: import.meta.dirname,
      env: {
        KEYSTILE_ISSUER: issuer,
        KEYSTILE_KEY: key,
        KEYSTILE_DATABASE: database,
        KEYSTILE_RATE_LIMITS: 'off',
        KEYSTILE_GRACE_SECONDS: '60',
        KEYSTILE_ACCESS_TOKEN_SECONDS: '7200',
        ...env,
      },
    })
  const servers = await Promise.all(environments.map((env) => start(env)))
  const avoided = new Set<number>()
  const numbers = (): number[] => [...servers.keys()].filter((number) => !avoided.has(number))
  const urlOf = (number: number, path: string): string => `${servers[number]?.url}/auth${path}`

  return {
    servers,
    async ask(path, init) {
      // A server knows a changed user after a quarter of a second, unless it has made the change
      // itself. So the same server answers all requests that compare the password of the caller.
      const usable = path === '/users/me/password' ? numbers().slice(0, 1) : numbers()
      const number = usable[random(usable.length)] ?? 0
      try {
        return await readAnswer(await fetch(urlOf(number, path), init))
      } catch {
        await wait(10)
        return 'lost'
      }
    },
    askOne: async (number, path, init) => readAnswer(await fetch(urlOf(number, path), init)),
    async replace(number) {
      await servers[number]?.stop('SIGKILL')
      servers[number] = await start(environments[number])
    },
    avoid(number) {
      avoided.add(number)
      return () => avoided.delete(number)
    },
    async settle() {
      for (const number of numbers())
        await until(async () => (await fetch(`${servers[number]?.url}/readyz`)).status === 200)
    },
    stop: async () =>
      void (await Promise.all(
        servers.map((server) => {
          server.child.kill('SIGCONT')
          return server.stop('SIGKILL')
        }),
      )),
  }
}
