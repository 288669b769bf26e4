// Waits in tests for what another thread, process or timer does.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'

/** Only a condition that never becomes true takes so long. A busy machine may need many seconds. */
const patienceMilliseconds = 120_000
const now = performance.now.bind(performance) // a test may set the time

type Truthy<T> = Exclude<T, false | undefined>

/** Asks every 10 ms until the answer is truthy, and returns it. Fails after two minutes. */
export async function until<T>(ask: () => T | Promise<T>): Promise<Truthy<T>> {
  const end = now() + patienceMilliseconds
  for (;;) {
    const answer = await ask()
    if (answer) return answer as Truthy<T>
    assert.ok(now() < end, `after two minutes, this is still not true: ${String(ask)}`)
    await delay(10)
  }
}
