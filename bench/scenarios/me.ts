// Measures `GET /users/me` of whole servers: they verify a token or cookie, load the user and
// answer JSON.
import { withTemporaryFolder } from '../folder.ts'
import { bearer, checkGuard, headerOf, type Credential } from '../guard-check.ts'
import { stringMember } from '../json.ts'
import { requestBytes } from '../load.ts'
import { measureInTurns, withServers, type Effort, type Lane, type Measured } from '../measure.ts'
import {
  betterAuthProgram,
  fastapiProgram,
  findBetterAuth,
  findFastapi,
  type Found,
} from '../peers.ts'
import { inBatches, logInPeople, password, post, signUpAtBetterAuth } from '../people.ts'
import type { Program } from '../process.ts'
import type { Findings } from '../result.ts'
import { standAlone } from '../stand-alone.ts'
import { summarize, summarizePairs } from '../statistics.ts'

/** A server with `GET /users/me`, and how to log in there. */
export interface Contestant {
  readonly name: string
  readonly program: (folder: string) => Program
  readonly logIn: (base: string, people: number) => Promise<readonly Credential[]>
  /** The versions of the server, or the reason why it cannot be measured here. */
  readonly find: () => Found
}

export const ours: Contestant = {
  name: 'Keystile, stand-alone, SQLite',
  program: standAlone,
  logIn: async (base, people) => (await logInPeople(base, people)).map(bearer),
  find: () => ({}),
}

const fastapi: Contestant = {
  name: 'FastAPI’s tutorial, users in memory',
  program: () => fastapiProgram('async'),
  logIn: (base, people) =>
    inBatches(people, async (n) => {
      const answer = await post(
        `${base}/token`,
        new URLSearchParams({ username: `user${n}`, password }),
      )
      return bearer(stringMember(await answer.json(), 'access_token'))
    }),
  find: findFastapi,
}

const betterAuth: Contestant = {
  name: 'Better Auth’s getSession, Hono, SQLite',
  program: betterAuthProgram,
  logIn: (base, people) =>
    inBatches(people, async (n) => {
      const person = JSON.stringify({ name: `user${n}`, email: `user${n}@example.com`, password })
      const answer = await signUpAtBetterAuth(base, person)
      return { field: 'cookie', value: answer.headers.getSetCookie()[0]!.split(';')[0]! }
    }),
  find: findBetterAuth,
}

export async function me(effort: Effort): Promise<Findings> {
  const found = [ours, fastapi, betterAuth].map((contestant) => ({
    contestant,
    found: contestant.find(),
  }))
  const skipped = found.flatMap(({ found }) => (typeof found === 'string' ? [found] : []))
  const contestants = found.flatMap(({ contestant, found }) =>
    typeof found === 'string' ? [] : [contestant],
  )
  const measured = await measureServers(contestants, effort)
  const mine = measured.get(ours.name)!
  const rows = contestants.map(({ name }) => {
    const { cpu, rate } = measured.get(name)!
    return {
      name,
      cpu: summarize(cpu),
      rate: summarize(rate),
      share: summarizePairs(mine.cpu, cpu, (a, b) => a / b),
    }
  })
  const share = rows.find(({ name }) => name === fastapi.name)?.share
  return {
    title: 'GET /users/me',
    method:
      'Processor time of a whole server for one request with 16 connections. Better Auth reads ' +
      'the user from SQLite each time; the tutorial of FastAPI has its users in memory. ' +
      'Keystile keeps users of SQLite in memory until they change. The last column is Keystile’s processor time over theirs, round by ' +
      'round.',
    versions: Object.assign(
      {},
      ...found.map(({ found }) => (typeof found === 'string' ? {} : found)),
    ) as Record<string, string>,
    table: {
      columns: ['server', 'processor time a request, µs', 'requests a second', 'ours ÷ theirs'],
      rows: rows.map(({ name, cpu, rate, share }) => ({
        name,
        cells: [cpu, rate, name === ours.name ? null : share],
      })),
    },
    bars: share
      ? [
          {
            promise: 'processor time ÷ that of FastAPI’s tutorial',
            measured: share.median,
            atMost: 0.15,
          },
        ]
      : [],
    skipped,
    plot: {
      title: 'GET /users/me',
      unit: 'µs of processor time a request, median and spread',
      groups: [
        {
          name: 'Less is better',
          items: rows.map(({ name, cpu }) => ({ name, value: cpu, isOurs: name === ours.name })),
        },
      ],
    },
  }
}

/** Measures all servers in turns. @returns the values, by name */
export function measureServers(
  contestants: readonly Contestant[],
  effort: Effort,
): Promise<ReadonlyMap<string, Measured>> {
  const people = effort.quick ? 2 : 20
  return withTemporaryFolder((folder) =>
    withServers(
      Object.fromEntries(contestants.map(({ name, program }) => [name, program(folder)])),
      async (servers) => {
        const lanes: Lane[] = []
        for (const { name, logIn } of contestants) {
          const server = servers[name]!
          const base = `http://127.0.0.1:${server.port}`
          const credentials = await logIn(base, people)
          await checkGuard(`${base}/users/me`, credentials[0]!)
          const requests = credentials.map((credential) =>
            requestBytes('GET /users/me', headerOf(credential)),
          )
          lanes.push({ name, server, requests })
        }
        return measureInTurns(lanes, effort)
      },
      '/users/me',
    ),
  )
}
