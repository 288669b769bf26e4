// A login storm: how long users who are already logged in wait, and how many logins succeed.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { withTemporaryFolder } from '../folder.ts'
import { bearer, checkGuard, headerOf, type Credential } from '../guard-check.ts'
import { stringMember } from '../json.ts'
import { inTurn, requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { withServers, type Effort } from '../measure.ts'
import {
  bcryptProgram,
  betterAuthProgram,
  fastapiProgram,
  findBcrypt,
  findBetterAuth,
  findFastapi,
  type Found,
} from '../peers.ts'
import { inBatches, password, post, signUpAtBetterAuth } from '../people.ts'
import { nodeProgram, residentMebibytes, type Program, type ServerProcess } from '../process.ts'
import type { Bar, Findings, Row } from '../result.ts'
import { buildSlowSync, onSlowDisk, syncMilliseconds } from '../slow-sync.ts'
import { summarize, summarizePairs, type Summary } from '../statistics.ts'
import { storm, type Probe, type StormAnswers } from '../storm-load.ts'

const sizes = [64, 512] as const
type Size = (typeof sizes)[number]
const warmUpSeconds = 2
const idleSeconds = 2
/**
 * The number of users who log in at Keystile. A user has at most 100 sessions. The next login would
 * also end a session, and that must not be measured.
 */
const people = 64
/** Node compiles the code fully only after some hundred logins. */
const [firstClients, firstSeconds] = [16, 3]
/**
 * The promise for a probe during a storm: it takes at most this many milliseconds, or at most this
 * many times as long as on the idle server.
 */
const [maxMilliseconds, maxTimesIdle] = [5, 3]
const hashMebibytes = 19
const formType = { 'content-type': 'application/x-www-form-urlencoded' }
const jsonType = { 'content-type': 'application/json' }

interface Contestant {
  readonly name: string
  readonly program: (folder: string) => Program
  readonly prepare: (base: string) => Promise<Prepared>
  readonly find: () => Found
}

/** The requests of a storm: logins, and those of a user who is already logged in. */
interface Prepared {
  readonly logins: readonly Buffer[]
  readonly credential?: Credential
  /** The paths that are probed. */
  readonly paths: readonly string[]
}

/** What was measured of a server, with a value for each round. */
interface Measured {
  readonly rate: number[]
  readonly refused: number[]
  readonly p50: number[]
  readonly p99: number[]
  readonly max: number[]
  /** The p99 of the slowest probe. */
  readonly worst: number[]
  readonly growth: number[]
}

const ours = 'Keystile, SQLite'
const oursSlow = `Keystile, SQLite, ${syncMilliseconds} ms a sync`
const oursPages = 'Keystile, SQLite, on the pages'
const allOurs: readonly string[] = [ours, oursSlow, oursPages]
const bare = 'node:http, argon2id only'

function keystile(name: string, library?: string): Contestant {
  return {
    name,
    program: (folder) => {
      const program = nodeProgram(join(import.meta.dirname, '../servers/keystile-node.ts'))
      const found = { ...program, env: { DATABASE: join(folder, 'keystile.db') } }
      return library === undefined ? found : onSlowDisk(found, library)
    },
    async prepare(base) {
      const formOf = (n: number): URLSearchParams =>
        new URLSearchParams({ username: `user${n}`, password })
      await inBatches(people + 1, (n) => {
        const person = { username: `user${n}`, email: `user${n}@example.com`, password }
        return post(`${base}/auth/users`, JSON.stringify(person))
      })
      return {
        logins: Array.from({ length: people }, (_, n) =>
          requestBytes('POST /auth/token', formType, formOf(n).toString()),
        ),
        credential: await tokenOf(`${base}/auth/token`, formOf(people)),
        paths: ['/auth/users/me', '/guarded'],
      }
    },
    find: () => ({}),
  }
}

/** The same logins, but with the form of the page `/auth/login`, as a browser sends it. */
const onPages: Contestant = {
  ...keystile(oursPages),
  program(folder) {
    const program = keystile(oursPages).program(folder)
    return { ...program, env: { ...program.env, PAGES: 'on' } }
  },
  async prepare(base) {
    const prepared = await keystile(oursPages).prepare(base)
    const page = await fetch(`${base}/auth/login`)
    const cookie = page.headers.getSetCookie()[0]!.split(';')[0]!
    const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(await page.text()) ?? []
    const logins = Array.from({ length: people }, (_, n) => {
      const form = new URLSearchParams({ username: `user${n}`, password, form_token: token })
      return requestBytes(
        'POST /auth/login',
        { ...formType, origin: base, cookie },
        form.toString(),
      )
    })
    return { ...prepared, logins }
  },
  find: () => ({}),
}

const bareHandler: Contestant = {
  name: bare,
  program: () => nodeProgram(join(import.meta.dirname, '../servers/bare-argon2.ts')),
  prepare: async () => ({ logins: [requestBytes('POST /token', formType, 'x=1')], paths: [] }),
  find: () => ({}),
}

function fastapi(login: 'async' | 'def'): Contestant {
  return {
    name: `FastAPI’s tutorial, ${login} login`,
    program: () => fastapiProgram(login),
    prepare: (base) => {
      const body = new URLSearchParams({ username: 'user0', password })
      return prepareToken(base, requestBytes('POST /token', formType, body.toString()), body)
    },
    find: findFastapi,
  }
}

const bcrypt: Contestant = {
  name: 'Fastify with bcrypt',
  program: bcryptProgram,
  prepare: (base) => {
    const body = JSON.stringify({ username: 'user0', password })
    return prepareToken(base, requestBytes('POST /token', jsonType, body), body)
  },
  find: findBcrypt,
}

const betterAuth: Contestant = {
  name: 'Better Auth, Hono, SQLite',
  program: betterAuthProgram,
  async prepare(base) {
    const person = { name: 'user0', email: 'user0@example.com', password }
    const answer = await signUpAtBetterAuth(base, JSON.stringify(person))
    const body = JSON.stringify({ email: person.email, password })
    return {
      logins: [requestBytes('POST /api/auth/sign-in/email', { ...jsonType, origin: base }, body)],
      credential: { field: 'cookie', value: answer.headers.getSetCookie()[0]!.split(';')[0]! },
      paths: ['/users/me', '/guarded'],
    }
  },
  find: findBetterAuth,
}

async function prepareToken(
  base: string,
  login: Buffer,
  body: string | URLSearchParams,
): Promise<Prepared> {
  return {
    logins: [login],
    credential: await tokenOf(`${base}/token`, body),
    paths: ['/users/me', '/guarded'],
  }
}

async function tokenOf(url: string, body: string | URLSearchParams): Promise<Credential> {
  return bearer(stringMember(await (await post(url, body)).json(), 'access_token'))
}

export async function stormed(effort: Effort): Promise<Findings> {
  return withTemporaryFolder(async (folder) => {
    const slow = buildSlowSync(folder)
    const all = [
      bareHandler,
      keystile(ours),
      onPages,
      ...('library' in slow ? [keystile(oursSlow, slow.library)] : []),
      fastapi('async'),
      fastapi('def'),
      bcrypt,
      betterAuth,
    ].map((contestant) => ({ contestant, found: contestant.find() }))
    const contestants = all.flatMap(({ contestant, found }) =>
      typeof found === 'string' ? [] : [contestant],
    )
    const missing = new Set(all.flatMap(({ found }) => (typeof found === 'string' ? [found] : [])))
    const measured = new Map<string, Measured>()
    for (let round = 0; round < effort.rounds; round++)
      for (const contestant of round === 0 ? contestants : contestants.filter(isOursOrFloor))
        await measureTurn(contestant, effort, measured)
    return findingsOf(contestants, measured, {
      versions: Object.assign(
        versionsOf(['@node-rs/argon2', 'fastify']),
        ...all.map(({ found }) => found).filter((found) => typeof found !== 'string'),
      ),
      skipped: [...missing, ...('reason' in slow ? [slow.reason] : [])],
    })
  })
}

/**
 * Whether a server is Keystile or the bare handler. All other servers need only one round, because
 * they differ so much from Keystile.
 */
function isOursOrFloor({ name }: Contestant): boolean {
  return [bare, ...allOurs].includes(name)
}

const keyOf = (name: string, clients: number): string => `${name}, ${clients}`

/**
 * Starts a server, measures it while it is idle and in both storms, and ends it. Its remaining work
 * then does not slow down the next server.
 */
async function measureTurn(
  { name, program, prepare }: Contestant,
  effort: Effort,
  measured: Map<string, Measured>,
): Promise<void> {
  await withTemporaryFolder((folder) =>
    withServers(
      { [name]: program(folder) },
      async (servers) => {
        const server = servers[name]!
        const base = `http://127.0.0.1:${server.port}`
        const { logins, credential, paths } = await prepare(base)
        if (credential) for (const path of paths) await checkGuard(`${base}${path}`, credential)
        const probes = paths.map((path): Probe => {
          return {
            name: path,
            request: requestBytes(`GET ${path}`, credential && headerOf(credential)),
          }
        })
        const ask = (clients: number, seconds: number, warmUp = 0): Promise<StormAnswers> => {
          const load = {
            port: server.port,
            clients,
            login: inTurn(logins),
            probes,
            seconds,
            warmUpSeconds: warmUp,
          }
          return storm(load)
        }
        await ask(firstClients, effort.quick ? 0.2 : firstSeconds)
        await inBatches(probes.length * 200, async (n) =>
          (await fetch(`${base}${paths[n % 2]}`, fetchOf(credential))).text(),
        )
        const idle = await ask(0, effort.quick ? 0.2 : idleSeconds)
        add(measured, keyOf(name, 0), idle, 0)
        for (const size of sizes) {
          const memory = watchMemory(server)
          const answers = await ask(size, effort.seconds, effort.quick ? 0.1 : warmUpSeconds)
          add(measured, keyOf(name, size), answers, memory.growth())
          await settle(server)
        }
      },
      '/open',
    ),
  )
}

function fetchOf(credential: Credential | undefined): RequestInit {
  return credential ? { headers: headerOf(credential) } : {}
}

/** Watches how far resident memory grows from now on. */
function watchMemory({ pid }: ServerProcess): { growth(): number } {
  const before = residentMebibytes(pid)
  let most = before
  const timer = setInterval(() => (most = Math.max(most, residentMebibytes(pid))), 100)
  return {
    growth() {
      clearInterval(timer)
      return most - before
    },
  }
}

/** Waits until a server has finished its work, at most two seconds. */
async function settle(server: ServerProcess): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const before = server.cpuMicroseconds()
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (server.cpuMicroseconds() - before < 20_000) return
  }
}

function add(
  measured: Map<string, Measured>,
  key: string,
  answers: StormAnswers,
  growth: number,
): void {
  const empty = (): Measured => ({
    rate: [],
    refused: [],
    p50: [],
    p99: [],
    max: [],
    worst: [],
    growth: [],
  })
  const into = measured.get(key) ?? empty()
  measured.set(key, into)
  into.rate.push(answers.loginsPerSecond)
  into.refused.push(answers.refusedPerSecond)
  into.growth.push(growth)
  const each = [...answers.probes.values()]
  if (each.length === 0) return
  const together = each.flat()
  into.p50.push(percentile(together, 50))
  into.p99.push(percentile(together, 99))
  into.max.push(Math.max(...together))
  into.worst.push(Math.max(...each.map((values) => percentile(values, 99))))
}

/** Returns the smallest value such that `percent` percent of all values are not larger. */
function percentile(values: readonly number[], percent: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1]!
}

function findingsOf(
  contestants: readonly Contestant[],
  measured: ReadonlyMap<string, Measured>,
  { versions, skipped }: Pick<Findings, 'versions' | 'skipped'>,
): Findings {
  const of = (name: string, clients: number): Measured => measured.get(keyOf(name, clients))!
  const orNull = (values: readonly number[]): Summary | null =>
    values.length === 0 ? null : summarize(values)
  const shareOf = (name: string, size: Size): Summary =>
    summarizePairs(of(name, size).rate, of(bare, size).rate, (a, b) => a / b)
  const rows = sizes.flatMap((size) =>
    contestants.map(({ name }): Row => {
      const { rate, refused, p50, p99, max, growth } = of(name, size)
      const isOurs = allOurs.includes(name)
      const share = isOurs ? shareOf(name, size) : null
      const probe = [of(name, 0).p99, p50, p99, max].map(orNull)
      return {
        name: keyOf(name, size),
        cells: [summarize(rate), share, summarize(refused), ...probe, summarize(growth)],
      }
    }),
  )
  const barsOf = (name: string, size: Size): readonly Bar[] => {
    const atMost = Math.max(maxMilliseconds, maxTimesIdle * summarize(of(name, 0).worst).median)
    const threads = availableParallelism()
    return [
      {
        promise: `${keyOf(name, size)}: p99 of the slower probe, ms`,
        measured: summarize(of(name, size).worst).median,
        atMost,
      },
      {
        promise: `${keyOf(name, size)}: share of the bare handler`,
        measured: shareOf(name, size).median,
        atLeast: 0.95,
      },
      {
        promise: `${keyOf(name, size)}: more memory than idle, MiB`,
        measured: summarize(of(name, size).growth).median,
        atMost: threads * hashMebibytes,
      },
    ]
  }
  const probed = contestants.filter(({ name }) => name !== bare)
  return {
    title: 'A login storm',
    method: methodOf(),
    versions,
    table: {
      columns: [
        'server, clients that log in',
        'logins a second',
        'share of the bare handler',
        'refused a second',
        'probe idle, p99 ms',
        'probe p50, ms',
        'p99, ms',
        'max, ms',
        'memory above idle, MiB',
      ],
      rows,
    },
    bars: probed
      .filter(({ name }) => allOurs.includes(name))
      .flatMap(({ name }) => sizes.flatMap((size) => barsOf(name, size))),
    skipped,
    plot: {
      title: 'A guarded route while others log in',
      unit: 'p99 in ms, median and spread',
      groups: [0, ...sizes].map((clients) => ({
        name: clients === 0 ? 'Idle' : `${clients} clients`,
        items: probed.map(({ name }) => {
          return {
            name,
            value: summarize(of(name, clients).p99),
            isOurs: allOurs.includes(name),
          }
        }),
      })),
    },
  }
}

function methodOf(): string {
  return [
    `${sizes.join(' or ')} clients log in again and again. At the same time, two probes are ` +
      'sent 50 times a second each, even if earlier ones have no answer yet: requests to ' +
      '`/users/me` and to a guarded route. The time of a probe begins when it should be sent, ' +
      'and it uses a connection that was accepted before.',
    `Each server is started again in each turn. It is warmed up by ${firstClients} clients ` +
      `for ${firstSeconds} s and by some hundred probes. Then it is probed for ${idleSeconds} ` +
      's while it is idle, and during both storms. The clients of a storm arrive within a ' +
      'second. Keystile and the bare handler run in all rounds, the other servers in one ' +
      'round only. A probe without an answer 5 s after a storm counts as answered then. ' +
      `Logins are counted from ${warmUpSeconds} s after the beginning of a storm, probes from ` +
      'its beginning.',
    'The bare handler verifies the same kind of hash (argon2id, 19 MiB, 2 passes) as ' +
      'Keystile, with the same library, number of threads and priority, and does nothing ' +
      'else. Its clients wait as long as necessary. Keystile refuses logins with 503 if it ' +
      'could not serve them within 2 s. A refused client comes back at the time that ' +
      '`Retry-After` says. "on the pages" means that the clients send the form of `/login`. All clients have the same address, and Keystile limits attempts by ' +
      'name.',
    `"${syncMilliseconds} ms a sync" means that each fsync of the process takes that long. ` +
      'FastAPI’s tutorial hashes with argon2id and the same parameters, Better Auth with ' +
      'scrypt, and Fastify with bcrypt (10 rounds). So compare only Keystile’s logins per ' +
      'second with those of the bare handler. "memory above idle" is the highest resident ' +
      'memory during a storm minus the resident memory before it.',
  ].join(' ')
}
