// Lets the background jobs of Keystile look for work more often, so that tests need not wait a
// second for each mail. The jobs that a server runs at long intervals keep their intervals.
import { instanceCount } from './in-turns.ts'

/** With several instances, each must soon read what the others have revoked. */
const [from, to] = [instanceCount > 1 ? 250 : 500, 1_000]
const quickMilliseconds = 60
let isQuick = true

/** Leaves the intervals as they are in a server, for tests that measure times. */
export function keepIntervals(): void {
  isQuick = false
}

const { setInterval } = globalThis
globalThis.setInterval = Object.assign(
  (...[run, milliseconds = 0, ...values]: Parameters<typeof setInterval>) => {
    const isJob = isQuick && milliseconds >= from && milliseconds <= to
    return setInterval(run, isJob ? quickMilliseconds : milliseconds, ...values)
  },
  setInterval,
)
