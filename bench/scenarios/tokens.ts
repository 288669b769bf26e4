// Measures what a guard costs an app in the hardest form: the open route is asked without a
// credential, and the guarded route with one token or with 4,000 tokens in turn.
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { importKey, type Jwk, type SigningKey } from 'keystile/jwt'
import { bearer, checkGuard, headerOf } from '../guard-check.ts'
import { requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { measureInTurns, withServers, type Effort, type Lane, type Measured } from '../measure.ts'
import { nodeProgram, type Program } from '../process.ts'
import type { Findings } from '../result.ts'
import { summarize, summarizePairs } from '../statistics.ts'
import { issueTokens } from '../tokens.ts'

const frameworks = ['Hono', 'Fastify', 'Express'] as const
const manyTokens = 4_000

/** What is compared with the open route that is asked without a credential. */
const forms = [
  // The open route with the same bytes: what Node does to receive a longer request.
  'bytes',
  // A route with middleware that does nothing, with the same bytes: no guard can cost less.
  'empty middleware',
  'guard, one token',
  'guard, 4,000 tokens',
] as const
type Form = (typeof forms)[number]

/** The share of the open route's speed that each form must reach. */
const minRatios: Partial<Record<Form, number>> = {
  'guard, one token': 0.9,
  'guard, 4,000 tokens': 0.85,
}

export async function tokens(effort: Effort): Promise<Findings> {
  const measured = await measureFrameworks(effort)
  const rows = frameworks.flatMap((framework) => {
    const open = measured.get(`${framework}, open`)!
    return forms.map((form) => {
      const { cpu } = measured.get(`${framework}, ${form}`)!
      const added = summarizePairs(cpu, open.cpu, (a, b) => a - b)
      const ratio = summarizePairs(open.cpu, cpu, (a, b) => a / b)
      return { framework, form, open: summarize(open.cpu), added, ratio }
    })
  })

  return {
    title: 'Guards, beside an open route without a credential',
    method:
      'Processor time of the server for one request, in µs. Requests to the open route have ' +
      'no credential. All other requests have one token, or one of 4,000 tokens in turn ' +
      '(HS256, verified before). "bytes" is the open route with the 4,000 tokens: the cost ' +
      'for Node to receive a longer request. "empty middleware" does nothing, so no guard can ' +
      'cost less. "ratio" is the processor time of the open route divided by that of the row.',
    versions: versionsOf(['fastify', 'express', 'hono', '@hono/node-server']),
    table: {
      columns: ['what', 'open route, µs', 'adds, µs', 'ratio'],
      rows: rows.map(({ framework, form, open, added, ratio }) => ({
        name: `${framework}, ${form}`,
        cells: [open, added, ratio],
      })),
    },
    bars: rows.flatMap(({ framework, form, ratio }) => {
      const atLeast = minRatios[form]
      const promise = `${framework}, ${form}: open ÷ guarded`
      return atLeast === undefined ? [] : [{ promise, measured: ratio.median, atLeast }]
    }),
    skipped: [],
    plot: {
      title: 'What a request costs more than one to an open route without a credential',
      unit: 'µs of processor time, median and spread; less is better',
      groups: frameworks.map((name) => ({
        name,
        items: rows
          .filter(({ framework }) => framework === name)
          .map(({ form, added }) => ({ name: form, value: added, isOurs: form in minRatios })),
      })),
    },
  }
}

async function measureFrameworks(effort: Effort): Promise<ReadonlyMap<string, Measured>> {
  const secret = randomBytes(32).toString('base64url')
  const jwk: Jwk = { kty: 'oct', alg: 'HS256', k: Buffer.from(secret).toString('base64url') }
  const all = issueTokens(effort.quick ? 2 : manyTokens, importKey(jwk) as SigningKey)
  const env = { KEYS: JSON.stringify({ keys: [jwk] }) }

  return withServers(programsOf(env), async (servers) => {
    const lanes: Lane[] = []
    for (const framework of frameworks) {
      // One server for all lanes: two processes of one program can differ in speed.
      const server = servers[framework]!
      await checkGuard(`http://127.0.0.1:${server.port}/guarded`, bearer(all[0]!))

      const asked = (route: string, tokens: readonly string[]): readonly Buffer[] =>
        tokens.map((token) => requestBytes(`GET /${route}`, headerOf(bearer(token))))
      const lane = (name: string, requests: Lane['requests']): Lane => ({
        name: `${framework}, ${name}`,
        server,
        requests,
      })
      lanes.push(
        lane('open', [requestBytes('GET /open')]),
        lane('bytes', asked('open', all)),
        lane('empty middleware', asked('empty', all)),
        lane('guard, one token', asked('guarded', all.slice(0, 1))),
        lane('guard, 4,000 tokens', asked('guarded', all)),
      )
    }
    return measureInTurns(lanes, effort)
  })
}

function programsOf(env: Program['env']): Readonly<Record<string, Program>> {
  const programs = frameworks.map((framework): [string, Program] => {
    const file = `../servers/verifier-${framework.toLowerCase()}.ts`
    const program = nodeProgram(resolve(import.meta.dirname, file))
    return [framework, { ...program, ...(env && { env }) }]
  })
  return Object.fromEntries(programs)
}
