// Transactions take locks in one order. On PostgreSQL, two transactions that take the same locks in
// different orders wait for each other until the database aborts one of them.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import {
  describeOnBoth,
  password,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import { isWaiting } from '../../packages/server/test-support/postgres.ts'

const sessions = 8

/** The server tries again after a deadlock. So this client notices a deadlock first. */
async function connect({ database }: Stage): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: database,
    options: '-c search_path=keystile -c deadlock_timeout=1ms',
  })
  await client.connect()
  return client
}

describeOnBoth('ending all sessions of a user', (stage) => {
  if (stage.kind === 'SQLite') return // it has one writer at a time
  it('sessions.revokeAll locks the sessions in the order of their ids', async () => {
    const { keystile, addUser } = await stage.start()
    const subject = await addUser()
    for (let i = 0; i < sessions; i++) await keystile.sessions.create({ subject })
    const client = await connect(stage)
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

describeOnBoth('a change of the password while a factor is set up', (stage) => {
  if (stage.kind === 'SQLite') return // it has one writer at a time
  it('a change of the password waits for a new factor, and is refused without it', async () => {
    const { send, tokens } = await stage.start({ secondFactor: 'optional' })
    const { accessToken: bearer } = await tokens()
    assert.equal((await send('POST', '/users/me/factors/totp', { bearer })).status, 200)
    const client = await connect(stage)
    try {
      // As the transaction that confirms the app: first the user, then the app.
      await client.query('begin')
      await client.query('select id from "user" for update')
      const json = { current_password: password, new_password: 'another one, as long' }
      const changing = send('POST', '/users/me/password', { bearer, json })
      await isWaiting(stage.database)
      await client.query("update authenticator_app set state = 'confirmed'")
      await client.query('commit')
      const { status, text } = await changing
      assert.equal(status, 409, text)
    } finally {
      await client.end()
    }
  })
})
