// Measures logins per second at the stand-alone server, against a handler that only hashes.
import { join } from 'node:path'
import { withTemporaryFolder } from '../folder.ts'
import { requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import { measureInTurns, withServers, type Effort, type Lane } from '../measure.ts'
import { inBatches, password, post } from '../people.ts'
import { nodeProgram } from '../process.ts'
import type { Findings } from '../result.ts'
import { standAlone } from '../stand-alone.ts'
import { summarize, summarizePairs } from '../statistics.ts'

const inFlight = 64
const [ours, bare] = ['Keystile, POST /token', 'node:http, argon2id only'] as const

export async function logins(effort: Effort): Promise<Findings> {
  const measured = await withTemporaryFolder((folder) =>
    withServers(
      {
        [ours]: standAlone(folder, { KEYSTILE_RATE_LIMITS: 'on' }),
        [bare]: nodeProgram(join(import.meta.dirname, '../servers/bare-argon2.ts')),
      },
      async (servers) => {
        const base = `http://127.0.0.1:${servers[ours]!.port}`
        await inBatches(inFlight, (n) => {
          const person = { username: `user${n}`, email: `user${n}@example.com`, password }
          return post(`${base}/users`, JSON.stringify(person))
        })
        await requireRefusal(base)
        const form = { 'content-type': 'application/x-www-form-urlencoded' }
        const bodyOf = (n: number): string =>
          new URLSearchParams({ username: `user${n}`, password }).toString()
        const lanes: Lane[] = [ours, bare].map((name) => ({
          name,
          server: servers[name]!,
          requests: Array.from({ length: inFlight }, (_, n) =>
            requestBytes('POST /token', form, bodyOf(n)),
          ),
          connections: inFlight,
        }))
        return measureInTurns(lanes, effort)
      },
      '/healthz',
    ),
  )
  const [a, b] = [measured.get(ours)!, measured.get(bare)!]
  const ratio = summarizePairs(a.rate, b.rate, (ours, bare) => ours / bare)
  return {
    title: 'Logins',
    method:
      `Answers a second with ${inFlight} logins in flight, each of another user. Keystile ` +
      'counts the attempt, verifies the password, starts a session on SQLite (two commits ' +
      'that wait for the disk and are shared with other logins) and signs a token. The bare ' +
      'handler verifies the same kind of hash (argon2id, 19 MiB, 2 passes) with the same ' +
      'library, as many threads and the same priority, and does nothing else.',
    versions: versionsOf(['@node-rs/argon2']),
    table: {
      columns: [
        'server',
        'logins a second',
        'processor time a login, µs',
        'share of the bare handler',
      ],
      rows: [
        { name: ours, cells: [summarize(a.rate), summarize(a.cpu), ratio] },
        { name: bare, cells: [summarize(b.rate), summarize(b.cpu), null] },
      ],
    },
    bars: [{ promise: 'share of what the machine can hash', measured: ratio.median, atLeast: 0.9 }],
    skipped: [],
    plot: {
      title: 'Logins a second',
      unit: 'median and spread',
      groups: [
        {
          name: 'More is better',
          items: [
            { name: ours, value: summarize(a.rate), isOurs: true },
            { name: bare, value: summarize(b.rate), isOurs: false },
          ],
        },
      ],
    },
  }
}

/** @throws {Error} when a wrong password logs in */
async function requireRefusal(base: string): Promise<void> {
  const body = new URLSearchParams({ username: 'user0', password: `${password}!` })
  const answer = await fetch(`${base}/token`, { method: 'POST', body })
  if (answer.status !== 400) throw new Error(`a wrong password is answered with ${answer.status}`)
}
