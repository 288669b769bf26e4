// Notices that PostgreSQL does not answer at all, so that requests do not wait for it.
import { setImmediate as afterPolling } from 'node:timers/promises'
import { isFromServer, PostgresUnavailableError } from './postgres-errors.ts'

/** After this time without any answer, a probe asks whether PostgreSQL answers at all. */
const silentMilliseconds = 500
/** How long a probe waits for an answer. */
export const probeMilliseconds = 1_000
/**
 * How late the timeout of a probe may come. If it comes later, this process got too little
 * processor time, so the probe says nothing about the database.
 */
const lateMilliseconds = 150
/** The time between two probes during an outage. */
const pauseMilliseconds = 250

export interface OutageWatch {
  /**
   * Waits for the reply of the database to some work, such as a statement.
   *
   * @throws {PostgresUnavailableError} `outage`: immediately if there is an outage, or when one
   *   begins. The work is not cancelled.
   */
  watch<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

/**
 * Creates a watch that notices when PostgreSQL stops answering. Without the watch, each request
 * would wait for its timeout if a network drops packets silently or a machine hangs. If work is
 * waiting, and no connection got an answer for half a second, a probe opens a new connection and
 * sends a query. If the probe gets no answer either, an outage begins: all waiting work fails, and
 * new work fails at once. Only the probes go on, one at a time, until the database answers one of
 * them.
 *
 * A slow statement or a wait for a lock is not an outage: other connections or the probe get
 * answers.
 *
 * @param probe resolves when the database has answered, on a new connection. Undefined if the pool
 *   cannot make one: then no outage is noticed
 * @param onOutage called when an outage begins
 */
export function watchForOutages(
  probe: (() => Promise<unknown>) | undefined,
  onOutage: () => void,
): OutageWatch {
  const waiting = new Set<(error: Error) => void>()
  let answeredAt = 0
  let phase: 'normal' | 'checking' | 'outage' = 'normal'
  let isClosed = false

  async function check(): Promise<void> {
    if (phase !== 'normal') return
    phase = 'checking'
    if ((await isDown()) && !isClosed) void waitForEnd()
    else phase = 'normal'
  }

  async function isDown(): Promise<boolean> {
    const checkedAt = performance.now()
    // If this process was busy or paused, Node runs the timers before it reads what has arrived.
    await afterPolling()
    const isSilent = performance.now() - answeredAt >= silentMilliseconds
    if (waiting.size === 0 || !isSilent) return false

    const probedAt = performance.now()
    if (await isAnswered(probe)) return false

    const isStarved = performance.now() - probedAt > probeMilliseconds + lateMilliseconds
    // Meanwhile, another connection may have got an answer.
    const isStillSilent = answeredAt < checkedAt
    return !isStarved && isStillSilent
  }

  async function waitForEnd(): Promise<void> {
    phase = 'outage'
    onOutage()
    for (const fail of waiting) fail(outage(false))
    for (;;) {
      await pass(pauseMilliseconds)
      if (isClosed || (await isAnswered(probe))) break
    }
    phase = 'normal'
  }

  return {
    async watch(work) {
      if (phase === 'outage') {
        // A caller that tries again without a pause must not keep Node from running the probes.
        await afterPolling()
        throw outage(true)
      }

      const { promise: begun, reject } = Promise.withResolvers<never>()
      const timer = setInterval(() => void check(), silentMilliseconds).unref()
      waiting.add(reject)
      try {
        const reply = await Promise.race([work(), begun])
        answeredAt = performance.now()
        return reply
      } catch (error) {
        if (isFromServer(error)) answeredAt = performance.now()
        throw error
      } finally {
        clearInterval(timer)
        waiting.delete(reject)
      }
    },
    close() {
      isClosed = true
    },
  }
}

/**
 * Whether the database answers a probe. An error of the server, such as "too many connections", is
 * an answer too.
 */
async function isAnswered(probe: (() => Promise<unknown>) | undefined): Promise<boolean> {
  const probed = probe?.().then(() => true, isFromServer)
  // The answer may have arrived in time, although Node runs the timer first.
  const late = pass(probeMilliseconds).then(() => afterPolling(false))
  return Promise.race([probed ?? true, late])
}

/** Waits, but does not keep the process alive. */
function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref())
}

function outage(isFrequent: boolean): PostgresUnavailableError {
  const message = 'the PostgreSQL database does not answer'
  return new PostgresUnavailableError('outage', message, { isFrequent })
}
