export interface HeldConnections {
  /** Calls `free` after the reply. */
  hold(reply: Promise<unknown>, free: () => void): void
  /** Frees all held connections now. */
  freeAll(): void
}

/**
 * Holds connections whose COMMIT has no reply yet, because PostgreSQL waits for a standby. The pool
 * gets a connection back only after the reply. Closing it earlier would not help: PostgreSQL keeps
 * its end open until the wait is over. If the pool opened a new connection each time, PostgreSQL
 * would soon have no free connection. Used only for Keystile's own pool: an app needs the
 * connections of its pool for its own reads.
 */
export function createHeldConnections(): HeldConnections {
  const held = new Set<() => void>()
  return {
    hold(reply, free) {
      const once = (): void => {
        if (held.delete(once)) free()
      }
      held.add(once)
      void reply.then(once, once)
    },
    freeAll() {
      for (const free of held) free()
    },
  }
}
