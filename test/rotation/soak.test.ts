// Three servers rotate their keys again and again while clients get tokens from them and verifiers
// check the tokens. The clock of everything runs faster than real time by one factor. Only the
// period of a key is shorter than in production, because a key that signs for 30 days adds nothing.
//
//   KEYSTILE_ROTATIONS=1000 npm test -- --long test/rotation/soak.test.ts
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { issueAccessToken } from 'keystile/internal'
import { decodeJwtUnsafe, type SigningKey } from 'keystile/jwt'
import {
  describeOnBoth,
  issuer,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import {
  openStoredKey,
  rotateEvery,
  type QueriedKey,
} from '../../packages/server/test-support/signing-keys.ts'
import { joseCheckers, ourCheckers, peerCheckers, type Checker } from './verifiers.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const rotations = Number(process.env['KEYSTILE_ROTATIONS'] ?? (isLong ? 1_000 : 3))
const factor = Number(process.env['KEYSTILE_ROTATION_FACTOR'] ?? 1_800)
const clientCount = isLong ? 20 : 6

const [hour, second] = [3_600_000, 1_000]
/** The lifetime of a token: one second of real time, if the factor is 1,800. */
const accessTokenSeconds = 1_800
const period = 1.25 * hour
const start = Date.now()
const startedAt = performance.now()
const clock = { now: () => Math.floor(start + (performance.now() - startedAt) * factor) }
/** Waits for a time by the fast clock. */
const pass = (milliseconds: number): Promise<void> => delay(milliseconds / factor)

describeOnBoth('many rotations under load', (stage) => {
  if (stage.kind !== 'PostgreSQL') return

  it(`in ${rotations} rotations, valid tokens pass and tokens of deleted keys fail`, async () => {
    const rotation = rotateEvery(period, (60 * second) / factor)
    const servers = [
      await stage.start({ clock, accessTokenSeconds }, rotation),
      await stage.start({ clock, accessTokenSeconds }, rotation),
      await stage.start({ clock, accessTokenSeconds }, rotation),
    ] as const
    const publisher = await publish(servers)
    const { port } = publisher.address() as AddressInfo
    const surroundings = { origin: `http://127.0.0.1:${port}`, clock, factor }
    const ours = [...ourCheckers(surroundings), ...servers.map(guardOf)]
    const others = [
      ...joseCheckers(surroundings),
      ...(isLong ? await peerCheckers(surroundings) : []),
    ]
    const run = new Run([...ours, ...others], await servers[0].addClient())
    try {
      await Promise.all([
        run.watch(stage).finally(() => (run.hasEnded = true)),
        ...Array.from({ length: clientCount }, (_, i) => run.client(servers, i)),
      ])
    } finally {
      run.hasEnded = true
      publisher.closeAllConnections()
      publisher.close()
      for (const checker of [...ours, ...others]) checker.close?.()
    }

    console.log(run.summary())
    assert.deepEqual(run.refused, [])
    assert.deepEqual(run.unanswered, [])
    const keys = run.sortedKeys()
    for (const [index, { signs_from, signs_until }] of keys.entries()) {
      const next = keys[index + 1]
      if (!next) continue
      assert.equal(Number(signs_until), Number(next.signs_from))
      assert.ok(Number(next.signs_from) - Number(signs_from) >= period, 'one key a rotation')
      assert.ok(Number(next.signs_from) - Number(next.published_at) >= hour)
    }
    for (const { name } of ours) assert.equal(run.forged.get(name) ?? 0, 0, name)
    assert.ok(run.goneCount >= rotations - 1 && run.tokenCount > rotations)
  })
})

/** One run: its clients, its watcher of keys, and what they found. */
class Run {
  hasEnded = false
  tokenCount = 0
  checkCount = 0
  goneCount = 0
  slowCount = 0
  readonly refused: string[] = []
  readonly unanswered: string[] = []
  /** How many tokens each verifier accepted that were signed with a key that was gone. */
  readonly forged = new Map<string, number>()
  readonly #checkers: readonly Checker[]
  readonly #credentials: Readonly<Record<string, string>>
  readonly #keys = new Map<string, { row: QueriedKey; readonly key: SigningKey }>()

  constructor(checkers: readonly Checker[], credentials: Readonly<Record<string, string>>) {
    this.#checkers = checkers
    this.#credentials = credentials
  }

  /** Gets tokens. Each token is checked at once, and again near the end of its life. */
  async client(servers: readonly TestKeystile[], index: number): Promise<void> {
    for (let turn = index; !this.hasEnded; turn++) {
      const server = servers[turn % servers.length]
      const token = server && (await this.#issue(server))
      if (token === undefined) continue
      await this.#check(token)
      await pass(0.7 * accessTokenSeconds * second)
      await this.#check(token)
    }
  }

  /** Follows the keys until all rotations have taken place, and forges tokens with gone keys. */
  async watch(stage: Stage): Promise<void> {
    const forging: Promise<void>[] = []
    const gone = new Set<string>()
    while (this.#rotated() < rotations || this.goneCount < rotations - 1) {
      const rows = (await stage.sql('select * from signing_key')) as unknown as QueriedKey[]
      for (const row of rows) {
        const known = this.#keys.get(row.id)
        if (known) known.row = row
        else this.#keys.set(row.id, { row, key: openStoredKey(row) })
      }
      for (const [id, known] of this.#keys) {
        if (gone.has(id) || rows.some((row) => row.id === id)) continue
        gone.add(id)
        this.goneCount++
        forging.push(this.#forge(known.key))
      }
      await delay(20)
    }
    await Promise.all(forging)
  }

  sortedKeys(): readonly QueriedKey[] {
    return [...this.#keys.values()]
      .map(({ row }) => row)
      .toSorted((a, b) => Number(a.signs_from) - Number(b.signs_from))
  }

  summary(): string {
    const forged = this.#checkers
      .map(({ name }) => `  ${name}: ${this.forged.get(name) ?? 0}`)
      .join('\n')
    return [
      `all times divided by ${factor}; a key signs for ${period / hour} hours, ` +
        `a token lives ${accessTokenSeconds} s, ${clientCount} clients`,
      `${this.#rotated()} rotations, ${this.#keys.size} keys, ${this.tokenCount} tokens, ` +
        `${this.checkCount} checks, ${this.refused.length} valid tokens refused, ` +
        `${this.slowCount} checks too slow to count`,
      `accepted tokens of ${this.goneCount} keys, half an hour after they were gone:\n${forged}`,
    ].join('\n')
  }

  #rotated(): number {
    const now = clock.now()
    const begun = [...this.#keys.values()].filter(({ row }) => Number(row.signs_from) <= now)
    return begun.length - 1
  }

  async #issue({ send }: TestKeystile): Promise<string | undefined> {
    const form = { grant_type: 'client_credentials', ...this.#credentials }
    const { status, json, text } = await send('POST', '/token', { form })
    if (status === 200) {
      this.tokenCount++
      return json['access_token'] as string
    }
    this.unanswered.push(text)
    return undefined
  }

  async #check(token: string): Promise<void> {
    const begunAt = clock.now()
    const expiresAt = Number(decodeJwtUnsafe(token).claims['exp']) * second
    await Promise.all(
      this.#checkers.map(async ({ name, verify }) => {
        this.checkCount++
        try {
          await verify(token)
        } catch (error) {
          // On a slow machine, a token expires on its way, or an answer with keys is old when it
          // arrives: a stall of 0.17 s is five minutes of the fast clock.
          const isSlow = clock.now() >= expiresAt || clock.now() - begunAt > 5 * 60 * second
          if (isSlow) this.slowCount++
          else this.refused.push(`${name}: ${String(error)}`)
        }
      }),
    )
  }

  /** Signs a token with a key that is gone, and offers it to all verifiers half an hour later. */
  async #forge(gone: SigningKey): Promise<void> {
    await pass(31 * 60 * second)
    const content = { issuer, audience: issuer, subject: 'x', clientId: 'x', scopes: [] }
    const token = issueAccessToken(content, gone, accessTokenSeconds, clock)
    for (const { name, verify } of this.#checkers) {
      const isAccepted = await verify(token).then(
        () => true,
        () => false,
      )
      if (isAccepted) this.forged.set(name, (this.forged.get(name) ?? 0) + 1)
    }
  }
}

function guardOf({ keystile }: TestKeystile, index: number): Checker {
  return {
    name: `the guard of server ${index + 1}`,
    verify: (token) => keystile.verifier.verify(token),
  }
}

/** Publishes the keys of the servers in turn, as a load balancer does. */
async function publish(servers: readonly TestKeystile[]): Promise<Server> {
  let turn = 0
  const publisher = createServer((_request, response) => {
    const server = servers[turn++ % servers.length]
    void server?.send('GET', '/.well-known/jwks.json').then(({ status, headers, text }) => {
      response.writeHead(status, Object.fromEntries(headers))
      response.end(text)
    })
  }).listen(0, '127.0.0.1')
  await once(publisher, 'listening')
  return publisher
}
