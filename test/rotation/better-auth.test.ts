// Better Auth rotates its keys beside verifiers like those of soak.test.ts, to compare its rotation
// with Keystile’s: how many keys each rotation makes, and how many valid tokens are refused.
//
//   npm run bench:peers && npm test -- --long test/rotation/better-auth.test.ts
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from 'keystile/internal'
import { decodeJwtUnsafe } from 'keystile/jwt'
import { issuer } from '../../packages/server/test-support/keystile.ts'
import { importPeer, joseCheckers, peerCheckers, type Checker } from './verifiers.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const rotations = Number(process.env['KEYSTILE_ROTATIONS'] ?? 100)
/** The same factor and the same period of a key as in soak.test.ts. */
const factor = 1_800
const periodSeconds = 2.5
const tokenSeconds = 2
const clients = 20
/** Better Auth never deletes a key, and publishes only the first 100: the limit of its queries. */
const publishedKeys = 100

/** The parts of Better Auth that are used. */
interface BetterAuth {
  readonly api: {
    getJwks(): Promise<{ readonly keys: readonly object[] }>
    signJWT(input: { body: { payload: object } }): Promise<{ readonly token: string }>
  }
}
interface BetterAuthModules {
  betterAuth(options: object): BetterAuth
  jwt(options: object): object
  memoryAdapter(tables: object): unknown
}

/** Three instances of Better Auth that share their tables. */
async function startBetterAuth(): Promise<readonly BetterAuth[] | undefined> {
  const parts = ['better-auth', 'better-auth/plugins', 'better-auth/adapters/memory']
  const found = await Promise.all(parts.map(importPeer)).catch((error: unknown) => {
    console.log(`SKIPPED Better Auth (npm run bench:peers): ${String(error)}`)
  })
  if (!found) return undefined

  const { betterAuth, jwt, memoryAdapter } = Object.assign({}, ...found) as BetterAuthModules
  const tables = { user: [], session: [], account: [], verification: [], jwks: [] }
  return Array.from({ length: 3 }, () =>
    betterAuth({
      baseURL: issuer,
      secret: 'a secret of a test with more than 32 characters',
      database: memoryAdapter(tables),
      telemetry: { enabled: false },
      plugins: [
        jwt({
          jwks: {
            keyPairConfig: { alg: 'ES256' },
            rotationInterval: periodSeconds,
            gracePeriod: tokenSeconds,
          },
          jwt: { issuer, audience: issuer, expirationTime: `${tokenSeconds}s` },
        }),
      ],
    }),
  )
}

it(
  'Better Auth rotates its keys beside the same verifiers, and the results are printed',
  { skip: isLong ? false : 'KEYSTILE_LONG=1 runs it' },
  async (t) => {
    const instances = await startBetterAuth()
    if (!instances) return t.skip('Better Auth is not installed')

    let turn = 0
    const next = (): BetterAuth => instances[turn++ % instances.length]!
    const publisher = createServer((_request, response) => {
      void next()
        .api.getJwks()
        .then((keys) => response.end(JSON.stringify(keys)))
        .catch(() => response.writeHead(500).end())
    }).listen(0, '127.0.0.1')
    await once(publisher, 'listening')
    const origin = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}`
    const surroundings = { origin, clock: systemClock, factor }
    const checkers = [...joseCheckers(surroundings), ...(await peerCheckers(surroundings))]

    const end = performance.now() + rotations * periodSeconds * 1_000
    const phases = [`up to ${publishedKeys} keys`, 'later'].map((name) => ({
      name,
      counts: new Map(checkers.map(({ name }) => [name, { checks: 0, refused: 0 }])),
    }))
    const kids = new Set<unknown>()
    const check = async ({ name, verify }: Checker, token: string): Promise<void> => {
      const count = phases[kids.size <= publishedKeys ? 0 : 1]!.counts.get(name)!
      const { exp } = decodeJwtUnsafe(token).claims
      const isAccepted = await verify(token).then(
        () => true,
        () => false,
      )
      // Does not count a token that expired before the check ended.
      if (!isAccepted && Date.now() >= Number(exp) * 1_000) return
      count.checks++
      if (!isAccepted) count.refused++
    }
    const client = async (): Promise<void> => {
      while (performance.now() < end) {
        const iat = Math.floor(Date.now() / 1_000)
        const { token } = await next().api.signJWT({ body: { payload: { sub: 'ada', iat } } })
        kids.add(decodeJwtUnsafe(token).header['kid'])
        await Promise.all(checkers.map((checker) => check(checker, token)))
        await delay(700)
        await Promise.all(checkers.map((checker) => check(checker, token)))
      }
    }
    try {
      await Promise.all(Array.from({ length: clients }, client))
    } finally {
      publisher.closeAllConnections()
      publisher.close()
      for (const checker of checkers) checker.close?.()
    }

    const lines = phases.flatMap(({ name: phase, counts }) =>
      [...counts].map(
        ([name, { checks, refused }]) => `  ${phase}, ${name}: ${refused} of ${checks}`,
      ),
    )
    console.log(
      `Better Auth: ${rotations} rotations, ${kids.size} keys; valid tokens refused:\n` +
        lines.join('\n'),
    )
    assert.ok(kids.size >= rotations * 0.9)
  },
)
