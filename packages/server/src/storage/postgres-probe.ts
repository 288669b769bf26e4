import type { Pool } from './postgres-client.ts'
import { probeMilliseconds } from './postgres-outage.ts'
import type { SignalClient } from './postgres-signals.ts'

/**
 * Returns a function that checks whether the database of a pool answers. It opens a new connection,
 * because all connections of the pool may be dead. Returns undefined if the pool, unlike a pool of
 * pg, has no members `Client` and `options`.
 */
export function createProbe(pool: Pool): (() => Promise<void>) | undefined {
  const Client: unknown = Reflect.get(pool, 'Client')
  const { options } = pool
  if (typeof Client !== 'function' || options === undefined) return undefined

  return async () => {
    const client = Reflect.construct(Client, [
      {
        ...options,
        // Not enumerable, so that it does not appear in a log.
        password: Reflect.get(options, 'password'),
        connectionTimeoutMillis: probeMilliseconds,
        query_timeout: probeMilliseconds,
      },
    ]) as SignalClient
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
    } finally {
      void client.end().catch(() => {})
    }
  }
}
