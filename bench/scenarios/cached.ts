// Measures how long the check of a cached token takes, with each source of revocations.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier, type Verifier, type VerifierOptions } from 'keystile'
import { exportPublicJwk, generateKey, signJwt } from 'keystile/jwt'
import type { Effort } from '../measure.ts'
import type { Findings } from '../result.ts'
import { summarize, summarizePairs } from '../statistics.ts'
import { audience, subjectOf } from '../tokens.ts'

const none = 'none'
const emptyFeed = 'a feed without revocations'
const fullFeed = 'a feed with 100,000 revocations'
const revoked = 100_000
/** Checks of each token in one turn: some milliseconds. */
const repetitions = 50

export async function cached(effort: Effort): Promise<Findings> {
  const key = generateKey('ES256')
  const sources: readonly (readonly [name: string, source: number | 'none' | 'own'])[] = [
    [none, 'none'],
    ['an object of the app', 'own'],
    [emptyFeed, 0],
    [fullFeed, effort.quick ? 100 : revoked],
  ]
  const lanes = await Promise.all(
    sources.map(async ([name, source]) => {
      const server = await startFeed(typeof source === 'number' ? source : 0)
      const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const keys = { keys: [exportPublicJwk(key)] }
      const revocations = revocationsOf(source)
      const verifier = createVerifier({ issuer, audience, keys, revocations })
      await verifier.ready()
      const tokens = Array.from({ length: effort.quick ? 50 : 1_000 }, (_, n) =>
        signJwt(
          {
            iss: issuer,
            aud: audience,
            sub: subjectOf(n),
            client_id: 'app',
            sid: `s${n}`,
            jti: 'j',
          },
          key,
          { expiresInSeconds: 86_400, type: 'at+jwt' },
        ),
      )
      for (const token of tokens) await verifier.verify(token)
      return { name, server, verifier, tokens, times: [] as number[] }
    }),
  )

  try {
    const turns = effort.quick ? 3 : 20 * effort.rounds
    // The first turns warm up.
    for (let turn = -10; turn < turns; turn++) {
      for (const { verifier, tokens, times } of lanes) {
        const nanoseconds = measure(verifier, tokens)
        if (turn >= 0) times.push(nanoseconds)
      }
      // Lets the feeds send their signs of life.
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  } finally {
    for (const { server, verifier } of lanes) {
      verifier.close()
      server.close().closeAllConnections()
    }
  }
  return findingsOf(new Map(lanes.map(({ name, times }) => [name, times])))
}

function revocationsOf(source: number | 'none' | 'own'): VerifierOptions['revocations'] {
  if (source === 'none') return source
  if (source === 'own') return { state: 'current', isRevoked: () => false, refresh: async () => {} }
  return { clientId: 'orders', clientSecret: 'pX3', whenStale: 'refuse' }
}

/** Starts a server that sends revocations of other sessions, and then a heartbeat each second. */
async function startFeed(count: number): Promise<Server> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let n = 0; n < count; n++) {
      const event = { kind: 'session', value: `other-${n}`, expires_at: Date.now() + 86_400_000 }
      response.write(`event: revocation\nid: ${n}.x\ndata: ${JSON.stringify(event)}\n\n`)
    }
    const openedAt = performance.now()
    const beat = (): void => {
      const elapsed = Math.floor(performance.now() - openedAt)
      response.write(`event: current\ndata: {"elapsed_ms":${elapsed}}\n\n`)
    }
    beat()
    const timer = setInterval(beat, 1_000)
    response.once('close', () => clearInterval(timer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Returns the processor time of one check, in nanoseconds. */
function measure(verifier: Verifier, tokens: readonly string[]): number {
  const { user } = process.cpuUsage()
  let accepted = 0
  for (let n = 0; n < repetitions; n++) {
    for (const token of tokens) if (verifier.recall?.(token)) accepted++
  }
  assert.equal(accepted, repetitions * tokens.length, 'each token must be accepted')
  return ((process.cpuUsage().user - user) * 1000) / accepted
}

function findingsOf(times: ReadonlyMap<string, readonly number[]>): Findings {
  const timesOf = (name: string): readonly number[] => times.get(name) ?? []
  const items = [...times].map(([name, values]) => ({
    name,
    value: summarize(values),
    isOurs: true,
  }))
  return {
    title: 'Cached',
    method:
      'Processor time of `verifier.recall` for one of 1,000 tokens that were verified before, in ' +
      'ns. All verifiers run in one process in turns of 50,000 checks.',
    versions: {},
    table: {
      columns: ['revocations', 'ns'],
      rows: items.map(({ name, value }) => ({ name, cells: [value] })),
    },
    bars: [emptyFeed, fullFeed].map((name) => ({
      promise: `${name}: more than with 'none', ns`,
      measured: summarizePairs(timesOf(name), timesOf(none), (feed, without) => feed - without)
        .median,
      atMost: 100,
    })),
    skipped: [],
    plot: {
      title: 'Checking a cached token',
      unit: 'ns of processor time, median and spread; less is better',
      groups: [{ name: 'Revocations', items }],
    },
  }
}
