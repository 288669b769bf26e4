// Measures what a guard costs a request. An open and a guarded route of one app are measured in
// turns, with tokens that the guard has verified before.
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { importKey, type Jwk, type SigningKey } from 'keystile/jwt'
import { withTemporaryFolder } from '../folder.ts'
import { bearer, checkGuard, headerOf } from '../guard-check.ts'
import { requestBytes } from '../load.ts'
import { versionOf, versionsOf } from '../machine.ts'
import { measureInTurns, withServers, type Effort, type Lane, type Measured } from '../measure.ts'
import { logInPeople } from '../people.ts'
import { nodeProgram, type Program, type ServerProcess } from '../process.ts'
import type { Findings, Row } from '../result.ts'
import { summarize, summarizePairs, type Summary } from '../statistics.ts'
import { issueTokens } from '../tokens.ts'
import { peersFolder } from '../verifiers/peers.ts'

/** An app with an open and a guarded route. */
export interface App {
  readonly framework: string
  readonly guard: string
  /** A path below `bench/`, or an absolute one. */
  readonly script: string
  /** Arguments of the program. */
  readonly args?: readonly string[]
  readonly isOurs: boolean
  /** Whether the app contains Keystile, so that its tokens come from logins. */
  readonly isIssuing?: boolean
  /** Whether the app has no guard, and thus shows what the framework itself costs. */
  readonly isEmpty?: boolean
  /** A package that `npm run bench:peers` installs; without it the app is left out. */
  readonly peer?: string
  readonly minRatio?: number
}

export const apps: readonly App[] = [
  ...appsOf('Fastify', 'fastify', 0.9),
  peerOf('Fastify', '@fastify/jwt', 'jwt-fastify.ts'),
  {
    ...peerOf('Fastify', '@fastify/jwt', 'jwt-fastify.ts'),
    guard: '@fastify/jwt with its cache',
    args: ['cached'],
  },
  ...appsOf('Express', 'express', 0.9),
  { framework: 'Express', guard: 'jose by hand', script: 'servers/jose-express.ts', isOurs: false },
  peerOf('Express', 'express-jwt', 'jwt-express.ts'),
  ...appsOf('Nest on Fastify', 'nest', 0.9),
  peerOf('Nest on Fastify', '@nestjs/passport', 'jwt-nest.ts'),
  ...appsOf('node:http', 'node', 0.9),
  ...appsOf('Hono', 'hono', 0.87),
  { framework: 'Hono', guard: 'jose by hand', script: 'servers/jose-hono.ts', isOurs: false },
  { framework: 'Hono', guard: 'hono/jwt', script: 'servers/jwt-hono.ts', isOurs: false },
]

/**
 * Returns the three apps that each framework has: our guard without users, our guard with users,
 * and a middleware that does nothing.
 */
function appsOf(framework: string, name: string, minRatio: number): readonly App[] {
  const verifier = `servers/verifier-${name}.ts`
  return [
    { framework, guard: 'Keystile’s guard', script: verifier, isOurs: true, minRatio },
    {
      framework,
      guard: 'Keystile’s guard, user from a Map',
      script: verifier,
      args: ['user'],
      isOurs: true,
    },
    {
      framework,
      guard: 'createKeystile, user from SQLite',
      script: `servers/keystile-${name}.ts`,
      isOurs: true,
      isIssuing: true,
    },
    {
      framework,
      guard: 'a middleware that does nothing',
      script: `servers/empty-${name}.ts`,
      isOurs: false,
      isEmpty: true,
    },
  ]
}

function peerOf(framework: string, peer: string, script: string): App {
  return { framework, guard: peer, script: `peers/${script}`, isOurs: false, peer }
}

export const nameOf = ({ framework, guard }: App): string => `${framework}, ${guard}`

export async function guards(effort: Effort): Promise<Findings> {
  const isThere = ({ peer }: App): boolean =>
    peer === undefined || versionOf(peer, peersFolder) !== undefined
  const contestants = apps.filter(isThere)
  const absent = new Set(apps.filter((app) => !isThere(app)).map(({ peer }) => peer!))
  const measured = await measureApps(contestants, effort)
  const found = contestants.map((app) => ({ app, ...figuresOf(app, measured) }))
  return describe(found, [...absent])
}

/**
 * Measures the open and the guarded route of all apps in turns. @returns the values, by `laneOf`
 */
export function measureApps(
  contestants: readonly App[],
  effort: Effort,
): Promise<ReadonlyMap<string, Measured>> {
  const people = effort.quick ? 2 : 100
  const secret = randomBytes(32).toString('base64url')
  const jwk: Jwk = { kty: 'oct', alg: 'HS256', k: Buffer.from(secret).toString('base64url') }
  const key = importKey(jwk) as SigningKey
  const env = { SECRET: secret, KEYS: JSON.stringify({ keys: [jwk] }), PEOPLE: String(people) }

  return withTemporaryFolder((folder) =>
    withServers(programsOf(contestants, folder, env), async (servers) => {
      const lanes: Lane[] = []
      for (const app of contestants) {
        const server = servers[nameOf(app)]!
        const base = `http://127.0.0.1:${server.port}`
        const tokens = app.isIssuing
          ? await logInPeople(`${base}/auth`, people)
          : issueTokens(people, key)
        if (!app.isEmpty) await checkGuard(`${base}/guarded`, bearer(tokens[0]!))
        lanes.push(...lanesOf(app, server, tokens))
      }
      return measureInTurns(lanes, effort)
    }),
  )
}

function programsOf(
  contestants: readonly App[],
  folder: string,
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, Program>> {
  const programs = contestants.map((app, index): [string, Program] => {
    const program = nodeProgram(resolve(import.meta.dirname, '..', app.script), app.args)
    return [
      nameOf(app),
      { ...program, env: app.isIssuing ? { DATABASE: resolve(folder, `${index}.db`) } : env },
    ]
  })
  return Object.fromEntries(programs)
}

const routes = ['open', 'guarded'] as const

/** Returns the name under which a route of an app is measured. */
export function laneOf(app: App, route: (typeof routes)[number]): string {
  return `${nameOf(app)}, ${route}`
}

/**
 * Both routes get the same bytes, the credential included. They differ only in the path and the
 * guard.
 */
function lanesOf(app: App, server: ServerProcess, tokens: readonly string[]): readonly Lane[] {
  return routes.map((route) => ({
    name: laneOf(app, route),
    server,
    requests: tokens.map((token) => requestBytes(`GET /${route}`, headerOf(bearer(token)))),
  }))
}

interface Figures {
  readonly open: Summary
  readonly guarded: Summary
  readonly added: Summary
  /** The ratio of answers per second, guarded over open. */
  readonly ratio: Summary
  /**
   * The ratio of processor time, open over guarded. It is steadier when other programs run on the
   * machine.
   */
  readonly cpuRatio: Summary
}

type Found = readonly ({ readonly app: App } & Figures)[]

function figuresOf(app: App, measured: ReadonlyMap<string, Measured>): Figures {
  const open = measured.get(laneOf(app, 'open'))!
  const guarded = measured.get(laneOf(app, 'guarded'))!
  return {
    open: summarize(open.cpu),
    guarded: summarize(guarded.cpu),
    added: summarizePairs(guarded.cpu, open.cpu, (a, b) => a - b),
    ratio: summarizePairs(guarded.rate, open.rate, (a, b) => a / b),
    cpuRatio: summarizePairs(open.cpu, guarded.cpu, (a, b) => a / b),
  }
}

function describe(found: Found, absent: readonly string[]): Findings {
  const frameworks = [...new Set(found.map(({ app }) => app.framework))]
  const peers = found.flatMap(({ app }) => app.peer ?? [])
  return {
    title: 'Guards',
    method:
      'Processor time of the server for one request, in µs. Requests to an open and to a ' +
      'guarded route of the same app are measured in turns. They have the same bytes, with a ' +
      'token that was verified before. "ratio" is the answers per second of the guarded route ' +
      'divided by those of the open route, from the same round. "by processor time" is the ' +
      'same ratio from processor time, which varies less when other programs run. All apps ' +
      'use HS256, except createKeystile: it signs with ES256, and for each request it checks ' +
      'whether the session was revoked and whether the user in memory is up to date. All guards demand issuer, ' +
      'audience, algorithm and, if they can, the type.',
    versions: {
      ...versionsOf(['fastify', 'express', '@nestjs/core', 'hono', '@hono/node-server', 'jose']),
      ...versionsOf(peers, peersFolder),
    },
    table: {
      columns: [
        'app',
        'open route, µs',
        'guarded route, µs',
        'guard adds, µs',
        'ratio',
        'by processor time',
      ],
      rows: found.map(({ app, open, guarded, added, ratio, cpuRatio }): Row => ({
        name: nameOf(app),
        cells: [open, guarded, added, ratio, cpuRatio],
      })),
    },
    bars: found.flatMap(({ app, ratio }) =>
      app.minRatio === undefined
        ? []
        : [
            {
              promise: `${nameOf(app)}: guarded ÷ open`,
              measured: ratio.median,
              atLeast: app.minRatio,
            },
          ],
    ),
    skipped: absent.map((peer) => `${peer} is not installed: npm run bench:peers`),
    plot: {
      title: 'What a guard adds to a request',
      unit: 'µs of processor time, median and spread; less is better',
      groups: frameworks.map((framework) => ({
        name: framework,
        items: found
          .filter(({ app }) => app.framework === framework)
          .map(({ app, added }) => ({ name: app.guard, value: added, isOurs: app.isOurs })),
      })),
    },
  }
}
