import type { HashThreads } from './hash-threads.ts'

/** Without a successful hash for so long, although some were asked for, hashing is in doubt. */
const troubledMilliseconds = 10_000
/** A hundred times the duration of a hash. */
const probeMilliseconds = 2_000

/** Hash threads that know whether they work. */
export interface WatchedHashThreads extends HashThreads {
  /** How many passwords wait or are being hashed. */
  readonly length: number
  /**
   * Whether hashing works. When no hash succeeded for 10 s although some were asked for, it hashes
   * one password as a probe, for all callers together. So it notices a recovery without a login.
   */
  areWorking(): Promise<boolean>
}

interface Watching {
  /** Gets the seconds from the request to the result, with the wait in the queue. */
  readonly onHash: (seconds: number) => void
  /** In milliseconds, from any start. */
  readonly now?: () => number
}

export function watchHashThreads(
  threads: HashThreads,
  { onHash, now = () => performance.now() }: Watching,
): WatchedHashThreads {
  const pending = new Set<{ readonly askedAt: number }>()
  let lastSuccessAt = -Infinity
  /** When the first hash was asked for that failed after the last success. */
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
    const since = Math.max(
      lastSuccessAt,
      Math.min(failedAt ?? Infinity, oldest?.askedAt ?? Infinity),
    )
    return now() - since >= troubledMilliseconds
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
      probe ??= hash(Buffer.from('is anybody there'))
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

/** The result of the work, or false when it takes too long. */
async function within(work: Promise<boolean>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
