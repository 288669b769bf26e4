// Writes to PostgreSQL without Keystile: what the cluster itself allows.
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { createPulse, type Pulse } from './pulse.ts'

export interface Yardstick {
  readonly pulse: Pulse
  /** Stops writing. Returns the number of acknowledged rows, and of those that are lost. */
  finish(): Promise<{ readonly acknowledged: number; readonly lost: number }>
}

const writers = 4
const pauseMilliseconds = 20

/** Starts to insert rows over four connections, until `finish` or `signal`. */
export async function startYardstick(url: string, signal: AbortSignal): Promise<Yardstick> {
  const pool = new pg.Pool({
    connectionString: url,
    max: writers,
    connectionTimeoutMillis: 2_000,
    query_timeout: 3_000,
    keepAlive: true,
  })
  pool.on('error', () => {})
  await pool.query('create table yardstick (id bigint primary key)')
  const pulse = createPulse()
  const acknowledged: string[] = []
  const stopping = new AbortController()
  let next = 0

  async function write(): Promise<void> {
    while (!stopping.signal.aborted && !signal.aborted) {
      const id = String(next++)
      try {
        await pool.query('insert into yardstick values ($1)', [id])
        acknowledged.push(id)
        pulse.beat()
      } catch {
        // The outcome is unknown, and the id is not used again.
      }
      await delay(pauseMilliseconds)
    }
  }
  signal.addEventListener('abort', () => void pool.end().catch(() => {}))
  const written = Array.from({ length: writers }, write)
  return {
    pulse,
    async finish() {
      stopping.abort()
      await Promise.all(written)
      const { rows } = await pool.query<{ id: string }>('select id from yardstick')
      await pool.end()
      const kept = new Set(rows.map(({ id }) => id))
      const lost = acknowledged.filter((id) => !kept.has(id)).length
      return { acknowledged: acknowledged.length, lost }
    },
  }
}
