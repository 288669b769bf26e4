// Many sessions end at the same time. On PostgreSQL each end takes a lock, and two transactions
// that take the same locks in different orders wait for each other until the database aborts one of
// them.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import { describeOnBoth } from '../../packages/server/test-support/keystile.ts'
import { isWaiting } from '../../packages/server/test-support/postgres.ts'

const sessions = 8

describeOnBoth('ending all sessions of a user', (stage) => {
  if (stage.kind === 'SQLite') return // it has one writer at a time
  it('sessions.revokeAll locks the sessions in the order of their ids', async () => {
    const { keystile, addUser } = await stage.start()
    const subject = await addUser()
    for (let i = 0; i < sessions; i++) await keystile.sessions.create({ subject })
    // The server tries again after a deadlock. So this client must notice a deadlock first.
    const client = new pg.Client({
      connectionString: stage.database,
      options: '-c search_path=keystile -c deadlock_timeout=1ms',
    })
    await client.connect()
    try {
      const { rows } = await client.query('select id from session order by id')
      const ids = rows.map(({ id }) => id as string)
      // Reverses the rows in the table: a statement without an order would lock the rows in this
      // order.
      for (const id of ids.toReversed())
        await client.query('update session set last_used_at = 1 where id = $1', [id])
      await client.query('analyze session')
      const lock = (id: string): Promise<unknown> =>
        client.query('select id from session where id = $1 for update', [id])

      await client.query('begin')
      await lock(ids[0]!)
      const ending = keystile.sessions.revokeAll(subject)
      await isWaiting(stage.database)
      for (const id of ids.slice(1)) await lock(id)
      await client.query('commit')
      await ending
      assert.deepEqual(await keystile.sessions.list(subject), [])
    } finally {
      await client.end()
    }
  })
})
