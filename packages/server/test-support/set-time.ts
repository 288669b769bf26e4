// Lets a test set the time: that of timers and of `performance.now()`.
import type { TestContext } from 'node:test'
import { setImmediate as polled } from 'node:timers/promises'

export interface SetTime {
  /** Lets milliseconds pass. Timers run at their times. */
  pass(milliseconds: number): Promise<void>
  /** Lets milliseconds pass in which this process does nothing. Timers run at their end. */
  block(milliseconds: number): Promise<void>
}

/** Stops the time of a test at 0. */
export function stopTime(t: TestContext): SetTime {
  let now = 0
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  t.mock.method(performance, 'now', () => now)
  async function block(milliseconds: number): Promise<void> {
    now += milliseconds
    t.mock.timers.tick(milliseconds)
    for (let turn = 0; turn < 4; turn++) await polled()
  }
  return {
    block,
    async pass(milliseconds) {
      for (let left = milliseconds; left > 0; left -= 10) await block(Math.min(left, 10))
    },
  }
}
