// Shows where the time of a guarded request goes: in Keystile, in the framework, or in Node.
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { importKey, type Jwk, type SigningKey } from 'keystile/jwt'
import { bearer, checkGuard, headerOf } from '../guard-check.ts'
import { inTurn, openLoad, requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { connections, warmUpSeconds, warmUpShare, withServers, type Effort } from '../measure.ts'
import { freePort, nodeProgram, type Program, type ServerProcess } from '../process.ts'
import {
  openProfiler,
  profiled,
  useFirstProcessor,
  type Owner,
  type ServerProfiler,
} from '../profiler.ts'
import type { Findings } from '../result.ts'
import { summarize, summarizePairs } from '../statistics.ts'
import { issueTokens } from '../tokens.ts'

const frameworks = ['Hono', 'Fastify', 'Express', 'Nest'] as const
type Framework = (typeof frameworks)[number]
const manyTokens = 4_000

/** What is profiled: a route of a framework's server, asked with some tokens in turn. */
interface Subject {
  readonly framework: Framework
  readonly name: string
  readonly route: string
  /** How many tokens. With 0, the requests have no credential. */
  readonly tokens: number
}

const forms: readonly Omit<Subject, 'framework'>[] = [
  { name: 'open', route: 'open', tokens: 0 },
  { name: 'empty middleware', route: 'empty', tokens: 1 },
  { name: 'guard, one token', route: 'guarded', tokens: 1 },
  { name: 'guard, 4,000 tokens', route: 'guarded', tokens: manyTokens },
]
const formsOfHono: typeof forms = [
  { name: 'async handler', route: 'async', tokens: 1 },
  { name: 'guard in the handler', route: 'guarded-inside', tokens: 1 },
]
const subjects = frameworks.flatMap((framework): readonly Subject[] =>
  [...forms, ...(framework === 'Hono' ? formsOfHono : [])].map((form) => ({
    ...form,
    framework,
    name: `${framework}, ${form.name}`,
  })),
)

/**
 * Returns the file of a server. All routes of a framework are in one server, because two processes
 * of the same program can differ in speed: once, one took twice the time of the other.
 */
function scriptOf(framework: Framework): string {
  const kind = framework === 'Hono' ? 'profiled' : 'verifier'
  return resolve(import.meta.dirname, `../servers/${kind}-${framework.toLowerCase()}.ts`)
}

/** The measurements of a subject, with one value for each round: microseconds of a request. */
interface Profile {
  readonly whole: number[]
  readonly of: Readonly<Record<Owner, number[]>>
}

export async function profile(effort: Effort): Promise<Findings> {
  const profiles = await profileInTurns(effort)
  const rows = subjects.map(({ framework, name }) => {
    const { whole, of } = profiles.get(name)!
    const open = profiles.get(`${framework}, open`)!
    return {
      name,
      whole: summarize(whole),
      ratio: summarizePairs(open.whole, whole, (a, b) => a / b),
      keystile: summarize(of.keystile),
      framework: summarize(of.framework),
      node: summarize(of.node),
      garbage: summarize(of.garbage),
    }
  })

  return {
    title: 'Where the time of a guarded request goes',
    method:
      'Processor time of the server for one request, in µs. The last four columns are parts ' +
      'of it: the server’s CPU profiler takes samples of the running functions, which are ' +
      'counted by the package of the function. Nest runs on Fastify. "Node" includes the ' +
      'kernel. The server and the load generator each have their own processor. Requests to ' +
      'the open route have no credential. Two rows of Hono have a route with only one ' +
      'function: an open route whose handler is async, and a handler that calls the guard ' +
      'itself.',
    versions: versionsOf(['fastify', 'express', '@nestjs/core', 'hono', '@hono/node-server']),
    table: {
      columns: [
        'what',
        'request, µs',
        'open ÷ this',
        'Keystile, µs',
        'framework, µs',
        'Node, µs',
        'garbage collection, µs',
      ],
      rows: rows.map(({ name, whole, ratio, keystile, framework, node, garbage }) => ({
        name,
        cells: [whole, ratio, keystile, framework, node, garbage],
      })),
    },
    bars: [],
    skipped: [],
    plot: {
      title: 'Keystile’s own part of a guarded request',
      unit: 'µs of processor time, median and spread; less is better',
      groups: frameworks.map((framework) => ({
        name: framework,
        items: rows
          .filter(({ name }) => name.startsWith(`${framework}, guard`))
          .map(({ name, keystile }) => ({
            name: name.slice(framework.length + 2),
            value: keystile,
            isOurs: true,
          })),
      })),
    },
  }
}

async function profileInTurns(effort: Effort): Promise<ReadonlyMap<string, Profile>> {
  const secret = randomBytes(32).toString('base64url')
  const jwk: Jwk = { kty: 'oct', alg: 'HS256', k: Buffer.from(secret).toString('base64url') }
  const tokens = issueTokens(effort.quick ? 2 : manyTokens, importKey(jwk) as SigningKey)
  const env = { KEYS: JSON.stringify({ keys: [jwk] }) }
  const { programs, inspectorPorts } = await programsOf(env)

  const useAllProcessors = useFirstProcessor()
  try {
    return await withServers(programs, async (servers) => {
      const profilers = new Map<string, ServerProfiler>()
      try {
        for (const { framework, route } of subjects) {
          if (!route.startsWith('guarded')) continue
          const { port } = servers[framework]!
          await checkGuard(`http://127.0.0.1:${port}/${route}`, bearer(tokens[0]!))
        }
        for (const [framework, port] of inspectorPorts)
          profilers.set(framework, await openProfiler(port))
        return await profileServers(servers, profilers, { tokens, effort })
      } finally {
        for (const profiler of profilers.values()) profiler.close()
      }
    })
  } finally {
    useAllProcessors()
  }
}

async function programsOf(env: Readonly<Record<string, string>>): Promise<{
  readonly programs: Readonly<Record<string, Program>>
  readonly inspectorPorts: ReadonlyMap<string, number>
}> {
  const programs: Record<string, Program> = {}
  const inspectorPorts = new Map<string, number>()
  for (const framework of frameworks) {
    const port = await freePort()
    programs[framework] = profiled({ ...nodeProgram(scriptOf(framework)), env }, port)
    inspectorPorts.set(framework, port)
  }
  return { programs, inspectorPorts }
}

async function profileServers(
  servers: Readonly<Record<string, ServerProcess>>,
  profilers: ReadonlyMap<string, ServerProfiler>,
  { tokens, effort }: { readonly tokens: readonly string[]; readonly effort: Effort },
): Promise<ReadonlyMap<string, Profile>> {
  const profiles = new Map<string, Profile>()
  for (let round = -1; round < effort.rounds; round++) {
    for (const subject of subjects) {
      const { name, framework } = subject
      const requests = requestsOf(subject, tokens)
      const isFirst = round < 0 && !effort.quick
      const seconds = isFirst ? Math.max(warmUpSeconds, effort.seconds) : effort.seconds
      const turn = await profileTurn(servers[framework]!, profilers.get(framework)!, {
        requests,
        seconds,
      })
      if (round < 0) continue

      const { whole, of } = profiles.get(name) ?? emptyProfile()
      profiles.set(name, { whole, of })
      whole.push(turn.cpu)
      of.keystile.push(turn.cpu * turn.shares.keystile)
      of.framework.push(turn.cpu * turn.shares.framework)
      of.node.push(turn.cpu * turn.shares.node)
      of.garbage.push(turn.cpu * turn.shares.garbage)
    }
  }
  return profiles
}

function emptyProfile(): Profile {
  return { whole: [], of: { keystile: [], framework: [], node: [], garbage: [] } }
}

function requestsOf({ route, tokens: count }: Subject, tokens: readonly string[]): Buffer[] {
  if (count === 0) return [requestBytes(`GET /${route}`)]
  return tokens
    .slice(0, count)
    .map((token) => requestBytes(`GET /${route}`, headerOf(bearer(token))))
}

/** Measures the processor time of requests, and then profiles as many seconds of the same. */
async function profileTurn(
  server: ServerProcess,
  profiler: ServerProfiler,
  { requests, seconds }: { readonly requests: readonly Buffer[]; readonly seconds: number },
): Promise<{ readonly cpu: number; readonly shares: Readonly<Record<Owner, number>> }> {
  const load = await openLoad({ port: server.port, connections })
  const run = { next: inTurn(requests), expect: 200 }
  try {
    await load.run({ ...run, seconds: seconds * warmUpShare })
    const before = server.cpuMicroseconds()
    const { answered } = await load.run({ ...run, seconds })
    const cpu = (server.cpuMicroseconds() - before) / answered
    const shares = await profiler.during(() => load.run({ ...run, seconds }))
    return { cpu, shares }
  } finally {
    load.close()
  }
}
