// Three servers rotate their keys again and again while clients get tokens from them and verifiers
// check the tokens. The clock of everything runs faster than real time by one factor, and stands
// still while tokens are issued and checked: so no token expires on its way, however slow the
// machine is. Only the period of a key is shorter than in production, because a key that signs for
// 30 days adds nothing.
//
//   KEYSTILE_ROTATIONS=1000 npm test -- --long test/rotation/soak.test.ts
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { issueAccessToken } from 'keystile/internal'
import type { SigningKey } from 'keystile/jwt'
import {
  createTestClock,
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

const [hour, minute, second] = [3_600_000, 60_000, 1_000]
const accessTokenSeconds = 1_800
const period = 1.25 * hour
const clock = createTestClock(Date.now())

describeOnBoth('many rotations under load', (stage) => {
  if (stage.kind !== 'PostgreSQL') return

  it(`in ${rotations} rotations, valid tokens pass and tokens of deleted keys fail`, async () => {
    const rotation = rotateEvery(period, minute / factor)
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
      while (!run.hasEnded) {
        await run.findKeys(stage)
        const clients = Array.from({ length: clientCount }, (_, i) => run.client(servers, i))
        await Promise.all([...clients, run.forge()])
        await letTimePass()
      }
    } finally {
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

let steppedAt = -Infinity

/**
 * Sets the clock a minute ahead, after which a server looks for keys that are due. The clock never
 * runs faster than by the factor, because the caches of the other verifiers use real time.
 */
async function letTimePass(): Promise<void> {
  await delay(Math.max(1, minute / factor - (performance.now() - steppedAt)))
  steppedAt = performance.now()
  clock.advance(minute / second)
}

/** One run: its clients, the keys of the servers, and what the clients found. */
class Run {
  tokenCount = 0
  checkCount = 0
  goneCount = 0
  readonly refused: string[] = []
  readonly unanswered: string[] = []
  /** How many tokens each verifier accepted that were signed with a key that was gone. */
  readonly forged = new Map<string, number>()
  readonly #checkers: readonly Checker[]
  readonly #credentials: Readonly<Record<string, string>>
  readonly #keys = new Map<string, { row: QueriedKey; readonly key: SigningKey; isGone?: true }>()
  /** When the last keys were gone that have not been forged with. */
  readonly #goneAt = new Map<string, number>()
  /** The token of each client, and when the client checks it again. */
  readonly #held = new Map<number, { readonly token: string; readonly dueAt: number }>()

  constructor(checkers: readonly Checker[], credentials: Readonly<Record<string, string>>) {
    this.#checkers = checkers
    this.#credentials = credentials
  }

  get hasEnded(): boolean {
    const enough = this.#rotated() >= rotations && this.goneCount >= rotations - 1
    return enough && this.#goneAt.size === 0
  }

  /** Gets a token and checks it. Near the end of its life, checks it again. */
  async client(servers: readonly TestKeystile[], index: number): Promise<void> {
    const held = this.#held.get(index)
    if (held && clock.now() < held.dueAt) return
    if (held) {
      this.#held.delete(index)
      return this.#check(held.token)
    }
    const server = servers[(index + this.tokenCount) % servers.length]
    const token = server && (await this.#issue(server))
    if (token === undefined) return
    this.#held.set(index, { token, dueAt: clock.now() + 0.7 * accessTokenSeconds * second })
    await this.#check(token)
  }

  /** Finds the keys that the servers have stored or deleted. */
  async findKeys(stage: Stage): Promise<void> {
    const rows = (await stage.sql('select * from signing_key')) as unknown as QueriedKey[]
    for (const row of rows) {
      const known = this.#keys.get(row.id)
      if (known) known.row = row
      else this.#keys.set(row.id, { row, key: openStoredKey(row) })
    }
    for (const [id, known] of this.#keys) {
      if (known.isGone || rows.some((row) => row.id === id)) continue
      known.isGone = true
      this.goneCount++
      this.#goneAt.set(id, clock.now())
    }
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
        `${this.checkCount} checks, ${this.refused.length} valid tokens refused`,
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
    await Promise.all(
      this.#checkers.map(async ({ name, verify }) => {
        this.checkCount++
        await verify(token).catch((error: unknown) =>
          this.refused.push(`${name}: ${String(error)}`),
        )
      }),
    )
  }

  /** Signs a token with each key that has been gone for half an hour, and offers it to all verifiers. */
  async forge(): Promise<void> {
    for (const [id, goneAt] of this.#goneAt) {
      if (clock.now() < goneAt + 31 * minute) continue
      this.#goneAt.delete(id)
      const known = this.#keys.get(id)
      if (known) await this.#forgeWith(known.key)
    }
  }

  async #forgeWith(gone: SigningKey): Promise<void> {
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
