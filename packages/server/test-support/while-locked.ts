import pg from 'pg'
import { until } from '../../../tools/until.ts'
import type { Answer, Stage } from './keystile.ts'

/**
 * Sends requests one after another while PostgreSQL stores no audit entries, each when the
 * transaction of the one before waits for a lock. Then unlocks, and returns the answers.
 */
export async function whileLocked(
  { database, sql }: Stage,
  requests: readonly (() => Promise<Answer>)[],
): Promise<readonly Answer[]> {
  const locker = new pg.Client({ connectionString: database })
  const waiting = `select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`
  const answers: Promise<Answer>[] = []
  await locker.connect()
  try {
    await locker.query('begin; lock table keystile.audit in share mode')
    for (const request of requests) {
      answers.push(request())
      await until(async () => (await sql(waiting)).length === answers.length)
    }
    await locker.query('commit')
    return await Promise.all(answers)
  } finally {
    await locker.end()
  }
}
