// Several Keystiles on one PostgreSQL database that a test uses like one: each call goes to the next
// of them, as a proxy would send it.
import { setTimeout as delay } from 'node:timers/promises'
import type { RunningKeystile } from '../src/server/wire/wire.ts'

/** How many Keystiles a flow test starts instead of one on PostgreSQL. Default: 1. */
export const instanceCount = Number(process.env['KEYSTILE_TEST_INSTANCES'] ?? 1)

/** Why a test about the memory or the log of one process is skipped; false if it runs. */
export const skipOfOneProcess: string | false =
  instanceCount > 1 && 'it is about the memory or the log of one process'

/**
 * Returns the URL of a database through the pooler whose port is KEYSTILE_TEST_POOLER_PORT. Returns
 * the given URL if this variable is not set.
 */
export function throughPooler(url: string): string {
  const port = process.env['KEYSTILE_TEST_POOLER_PORT']
  return port === undefined ? url : Object.assign(new URL(url), { port }).href
}

/** Starts Keystiles with `start`, one after the other, and returns them as one. */
export async function startInTurns(
  count: number,
  start: () => Promise<RunningKeystile>,
): Promise<RunningKeystile> {
  if (count === 1) return start()
  const all: RunningKeystile[] = []
  try {
    while (all.length < count) all.push(await start())
  } catch (error) {
    for (const { keystile } of all) await keystile.close()
    throw error
  }
  return takeTurns(all)
}

type AsyncFunction = (...args: never[]) => Promise<unknown>

/**
 * A Keystile refuses at once what it has revoked itself, and within a second what another one has
 * revoked. Tests expect it at once. So each call first waits until its Keystile has read the events
 * that were there when the latest call ended.
 */
function takeTurns(all: readonly RunningKeystile[]): RunningKeystile {
  const [first] = all
  if (!first) throw new Error('there must be at least one Keystile')
  let turn = 0
  let latestEnd = -Infinity

  async function nextUpToDate(): Promise<number> {
    const n = turn++ % all.length
    const until = performance.now() + 10_000
    while (readAt(all[n]) <= latestEnd && performance.now() < until) await delay(1)
    return n
  }
  /** Returns a function that calls the one of the next Keystile. */
  const next = <F extends AsyncFunction>(functionOf: (running: RunningKeystile) => F): F =>
    (async (...args: Parameters<F>) => {
      const running = all[await nextUpToDate()] ?? first
      try {
        return await functionOf(running)(...args)
      } finally {
        latestEnd = performance.now()
      }
    }) as F
  /** Does this for all functions of a part. */
  const nextPart = <Part extends object>(partOf: (running: RunningKeystile) => Part): Part => {
    const own = partOf(first)
    const names = Object.keys(own) as (keyof Part & string)[]
    const entries = names.map((name) => [
      name,
      typeof own[name] === 'function'
        ? next((running) => (partOf(running)[name] as AsyncFunction).bind(partOf(running)))
        : own[name],
    ])
    return Object.fromEntries(entries) as Part
  }

  const { users } = first.keystile
  return {
    ...first,
    users: nextPart((running) => running.users),
    clients: nextPart((running) => running.clients),
    keystile: {
      ...first.keystile,
      fetch: next((running) => running.keystile.fetch),
      answer: next((running) => running.keystile.answer),
      sessions: nextPart((running) => running.keystile.sessions),
      userChanged: next((running) => running.keystile.userChanged),
      user: next((running) => running.keystile.user),
      verifier: {
        ...first.keystile.verifier,
        verify: next((running) => running.keystile.verifier.verify),
      },
      ...(users && { users: nextPart((running) => running.keystile.users ?? users) }),
      async close() {
        for (const { keystile } of all) await keystile.close()
      },
    },
  }
}

/** Returns when a Keystile last began to read events, as a time of `performance.now()`. */
function readAt(running: RunningKeystile | undefined): number {
  const age = running
    ?.readGauges()
    .find(({ gauge }) => gauge.name === 'keystile_feed_age_seconds')?.value
  return performance.now() - (age ?? 0) * 1_000
}
