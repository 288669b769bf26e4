import type { HashThreads } from './hash-threads.ts'

/** How long hashes may fail or hang before a probe checks whether hashing works. */
const troubledMilliseconds = 10_000
/** How long a probe may take: about a hundred times the duration of a hash. */
const probeMilliseconds = 2_000

export interface WatchedHashThreads extends HashThreads {
  /** How many passwords are waiting or being hashed. */
  readonly length: number
  /**
   * Whether hashing works. If hashes were requested but none has succeeded for 10 s, this function
   * hashes a password as a probe. The probe shows when hashing works again, even if no user logs
   * in. Calls at the same time share one probe.
   */
  areWorking(): Promise<boolean>
}

interface Watching {
  /** Called with the seconds that a hash took, including its wait in the queue. */
  readonly onHash: (seconds: number) => void
  /** A clock in milliseconds. It may start at any number. */
  readonly now?: () => number
}

/** Wraps hash threads to measure each hash and to notice when hashing stops working. */
export function watchHashThreads(
  threads: HashThreads,
  { onHash, now = () => performance.now() }: Watching,
): WatchedHashThreads {
  const pending = new Set<{ readonly askedAt: number }>()
  let lastSuccessAt = -Infinity
  /** The time of the request for the first hash that failed since the last success. */
  let failedAt: number | undefined
  let probe: Promise<boolean> | undefined

  async function watch<T>(ask: () => Promise<T>): Promise<T> {
    const asked = { askedAt: now() }
    pending.add(asked)
    try {
      const result = await ask()
      lastSuccessAt = now()
      failedAt = undefined
      onHash((lastSuccessAt - asked.askedAt) / 1000)
      return result
    } catch (error) {
      failedAt ??= asked.askedAt
      throw error
    } finally {
      pending.delete(asked)
    }
  }

  function isTroubled(): boolean {
    const [oldest] = pending // a set keeps the order of arrival
    const unansweredSince = Math.min(failedAt ?? Infinity, oldest?.askedAt ?? Infinity)
    const troubledSince = Math.max(lastSuccessAt, unansweredSince)
    return now() - troubledSince >= troubledMilliseconds
  }

  const hash: HashThreads['hash'] = (...job) => watch(() => threads.hash(...job))
  return {
    requireRoom: (address) => threads.requireRoom(address),
    hash,
    verify: (...job) => watch(() => threads.verify(...job)),
    get length() {
      return pending.size
    },
    async areWorking() {
      if (!isTroubled()) return true

      probe ??= hash(Buffer.from('a password to probe'))
        .then(
          () => true,
          () => false,
        )
        .finally(() => (probe = undefined))
      return within(probe, probeMilliseconds)
    },
    close: () => threads.close(),
  }
}

/** Returns the result of the work, or false if the work takes longer than `milliseconds`. */
async function within(work: Promise<boolean>, milliseconds: number): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), milliseconds).unref() // must not delay the exit of the process
  })
  return Promise.race([work, late])
}
