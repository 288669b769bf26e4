import type { HashThreads } from './hash-threads.ts'

/** With no hash that ended well for so long, although some were asked for, it is asked whether any still does. */
const troubledMilliseconds = 10_000
/** One hash takes a hundredth of it. */
const probeMilliseconds = 2_000

/** Hash threads, with a look at how they do. */
export interface WatchedHashThreads extends HashThreads {
  /** Passwords that wait, or are being hashed. */
  readonly length: number
  /**
   * Whether passwords still get hashed. Where none did for 10 s although some were asked for, one is hashed to see, a single one
   * however many ask: so what has recovered is found out without anybody's login.
   */
  areWorking(): Promise<boolean>
}

interface Watching {
  /** Told the seconds from asking to the answer, the wait in the queue included. */
  readonly onHash: (seconds: number) => void
  /** Milliseconds, from any start. */
  readonly now?: () => number
}

export function watchHashThreads(
  threads: HashThreads,
  { onHash, now = () => performance.now() }: Watching,
): WatchedHashThreads {
  const pending = new Set<{ readonly askedAt: number }>()
  let lastSuccessAt = -Infinity
  /** When the first hash was asked for that failed after the last that did not. */
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
    const [oldest] = pending // a set keeps the order in which they were asked for
    const since = Math.max(lastSuccessAt, Math.min(failedAt ?? Infinity, oldest?.askedAt ?? Infinity))
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

/** `false` when nothing is known in time. */
async function within(work: Promise<boolean>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
