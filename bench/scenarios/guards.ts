// What a guard costs a request: an open and a guarded route of one app, in turns, with tokens that were seen before.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { importKey, type Jwk, type SigningKey } from 'keystile/jwt'
import { withTemporaryFolder } from '../folder.ts'
import { bearer, checkGuard, headerOf } from '../guard-check.ts'
import { requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { measureInTurns, withServers, type Effort, type Lane, type Measured } from '../measure.ts'
import { logInPeople } from '../people.ts'
import { nodeProgram, type Program, type ServerProcess } from '../process.ts'
import type { Findings, Row } from '../result.ts'
import { summarize, summarizePairs, type Summary } from '../statistics.ts'
import { issueTokens } from '../tokens.ts'

interface App {
  readonly name: string
  readonly script: string
  readonly isOurs: boolean
  /** It is an app with Keystile in it, and its tokens are those of people who log in. */
  readonly isIssuing?: boolean
  /** There is no guard in it: it shows what the framework takes for any. */
  readonly isEmpty?: boolean
  readonly minRatio?: number
}

const apps: readonly App[] = [
  { name: 'Hono, Keystile’s guard', script: 'verifier-hono.ts', isOurs: true, minRatio: 0.85 },
  { name: 'node:http, Keystile’s guard', script: 'verifier-node.ts', isOurs: true, minRatio: 0.9 },
  { name: 'Hono, createKeystile, user loaded', script: 'keystile-hono.ts', isOurs: true, isIssuing: true },
  { name: 'node:http, createKeystile, user loaded', script: 'keystile-node.ts', isOurs: true, isIssuing: true },
  { name: 'Hono, a middleware that does nothing', script: 'empty-hono.ts', isOurs: false, isEmpty: true },
  { name: 'Hono, jose by hand', script: 'jose-hono.ts', isOurs: false },
  { name: 'Hono, hono/jwt', script: 'jwt-hono.ts', isOurs: false },
]

export async function guards(effort: Effort): Promise<Findings> {
  const people = effort.quick ? 2 : 100
  const secret = randomBytes(32).toString('base64url')
  const jwk: Jwk = { kty: 'oct', alg: 'HS256', k: Buffer.from(secret).toString('base64url') }
  const key = importKey(jwk) as SigningKey
  const measured = await withTemporaryFolder((folder) =>
    withServers(programsOf(folder, { SECRET: secret, KEYS: JSON.stringify({ keys: [jwk] }) }), async (servers) => {
      const lanes: Lane[] = []
      for (const app of apps) {
        const server = servers[app.name]!
        const base = `http://127.0.0.1:${server.port}`
        const tokens = app.isIssuing ? await logInPeople(`${base}/auth`, people) : issueTokens(people, key)
        if (!app.isEmpty) await checkGuard(`${base}/guarded`, bearer(tokens[0]!))
        lanes.push(...lanesOf(app, server, tokens))
      }
      return measureInTurns(lanes, effort)
    }),
  )
  return describe(apps.map((app) => ({ app, ...figuresOf(app, measured) })))
}

function programsOf(folder: string, env: Readonly<Record<string, string>>): Readonly<Record<string, Program>> {
  const programs = apps.map(({ name, script, isIssuing }): [string, Program] => {
    const program = nodeProgram(join(import.meta.dirname, '../servers', script))
    return [name, { ...program, env: isIssuing ? { DATABASE: join(folder, `${script}.db`) } : env }]
  })
  return Object.fromEntries(programs)
}

/** Both routes get the same bytes, the credential included: they differ in the path, and in what guards it. */
function lanesOf({ name }: App, server: ServerProcess, tokens: readonly string[]): readonly Lane[] {
  return ['open', 'guarded'].map((route) => ({
    name: `${name}, ${route}`,
    server,
    requests: tokens.map((token) => requestBytes(`GET /${route}`, headerOf(bearer(token)))),
  }))
}

interface Figures {
  readonly open: Summary
  readonly guarded: Summary
  readonly added: Summary
  /** Of answers a second. */
  readonly ratio: Summary
  /** Of processor time, the open route's over the guarded one's: steadier where others work on the machine. */
  readonly cpuRatio: Summary
}

function figuresOf({ name }: App, measured: ReadonlyMap<string, Measured>): Figures {
  const open = measured.get(`${name}, open`)!
  const guarded = measured.get(`${name}, guarded`)!
  return {
    open: summarize(open.cpu),
    guarded: summarize(guarded.cpu),
    added: summarizePairs(guarded.cpu, open.cpu, (a, b) => a - b),
    ratio: summarizePairs(guarded.rate, open.rate, (a, b) => a / b),
    cpuRatio: summarizePairs(open.cpu, guarded.cpu, (a, b) => a / b),
  }
}

function describe(found: readonly ({ readonly app: App } & Figures)[]): Findings {
  return {
    title: 'Guards',
    method:
      'Processor time of the server for one request, in µs: an open and a guarded route of the same app, asked with the same bytes in turns, each token seen before. Ratio: answers a second of the guarded route over those of the open one, round by round; beside it the same by processor time, which is steadier where others work on the machine. HS256, but for createKeystile, which signs with ES256 and loads the user from SQLite for each request.',
    versions: versionsOf(['hono', '@hono/node-server', 'jose']),
    table: {
      columns: ['app', 'open route, µs', 'guarded route, µs', 'guard adds, µs', 'ratio', 'by processor time'],
      rows: found.map(({ app, open, guarded, added, ratio, cpuRatio }): Row => ({
        name: app.name,
        cells: [open, guarded, added, ratio, cpuRatio],
      })),
    },
    bars: found.flatMap(({ app, ratio }) =>
      app.minRatio === undefined
        ? []
        : [{ promise: `${app.name}: guarded ÷ open`, measured: ratio.median, atLeast: app.minRatio }],
    ),
    skipped: [],
    plot: {
      title: 'What a guard adds to a request',
      unit: 'µs of processor time, median and spread',
      groups: [
        {
          name: 'Less is better',
          items: found.map(({ app, added }) => ({ name: app.name, value: added, isOurs: app.isOurs })),
        },
      ],
    },
  }
}
