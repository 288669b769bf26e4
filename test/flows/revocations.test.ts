// Every process learns of revocations: even if clocks differ, if the database loses commits, or if
// requests use all connections.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { TokenError } from 'keystile'
import pg from 'pg'
import { skipOfOneProcess } from '../../packages/server/test-support/in-turns.ts'
import {
  createTestClock,
  describeOnBoth,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { until } from '../../tools/until.ts'

/** Verifies a token until it is refused. @returns the code of the refusal */
function untilRefused({ keystile }: TestKeystile, accessToken: string): Promise<string> {
  return until(() =>
    keystile.verifier.verify(accessToken).then(
      () => undefined,
      (error: TokenError) => error.code,
    ),
  )
}

describeOnBoth('a database that lost its latest commits', (stage) => {
  /** Deletes the latest events, as a failover to a late replica or an old backup would. */
  const forget = async (events: number): Promise<void> => {
    await stage.sql(`delete from event where seq > ${events}`)
    await stage.sql(`update feed set seq = ${events}`)
  }

  it('every process learns of revocations even if the database has lost events', async () => {
    const [one, other] = [await stage.start(), await stage.start()]
    const people = []
    for (const name of ['ada', 'bob', 'eve', 'joe', 'kim']) people.push(await one.tokens(name))
    const [ada, bob, ...later] = people
    for (const { accessToken } of [ada!, bob!]) {
      await one.keystile.verifier.verify(accessToken)
      const { status } = await one.send('DELETE', '/users/me/sessions', { bearer: accessToken })
      assert.equal(status, 204)
      assert.equal(await untilRefused(other, accessToken), 'invalid_token')
    }
    await forget(1)
    for (const { accessToken } of later) {
      const { status } = await one.send('DELETE', '/users/me/sessions', { bearer: accessToken })
      assert.equal(status, 204)
      await assert.rejects(one.keystile.verifier.verify(accessToken), { code: 'invalid_token' })
      assert.equal(await untilRefused(other, accessToken), 'invalid_token')
    }
  })
})

describeOnBoth('a session that is ended by a process whose clock is ahead', (stage) => {
  it('a process reads revocations of another process whose clock is 12 hours ahead', async () => {
    const [clock, ahead] = [createTestClock(), createTestClock()]
    ahead.advance(12 * 60 * 60)
    const one = await stage.start({ clock })
    const other = await stage.start({ clock: ahead })
    const { accessToken, subject } = await one.tokens()
    await other.keystile.sessions.revokeAll(subject)
    assert.equal(await untilRefused(one, accessToken), 'invalid_token')
  })
})

describeOnBoth('requests that use all connections', (stage) => {
  if (stage.kind === 'SQLite') return // SQLite has no pool of connections: its reads do not wait

  it('while all connections are in use, requests get 503, but revocations arrive', async () => {
    await withFullQueue(stage, undefined)
  })

  it(
    'while all connections of a small pool are in use, revocations still arrive',
    { skip: skipOfOneProcess },
    async () => {
      await stage.start() // creates the database
      const pool = new pg.Pool({ connectionString: stage.database, max: 2 })
      try {
        await withFullQueue(stage, pool)
      } finally {
        await pool.end()
      }
    },
  )
})

async function withFullQueue(stage: Stage, pool: pg.Pool | undefined): Promise<void> {
  const other = await stage.start()
  const busy = await stage.start(pool && { database: pool })
  const [ada, bob] = [await other.tokens('ada'), await other.tokens('bob')]
  await busy.keystile.verifier.verify(bob.accessToken)
  const client = new pg.Client({
    connectionString: stage.database,
    options: '-c search_path=keystile',
  })
  await client.connect()
  await client.query(`begin; select id from session where id = '${ada.sessionId}' for update`)
  const stopping = new AbortController()
  const answers: { readonly status: number; readonly retryAfter: string | null }[] = []
  // A request keeps its connection until the lock is released or the wait for the lock times out.
  const senders = Array.from({ length: 40 }, async () => {
    while (!stopping.signal.aborted) {
      const { status, headers } = await busy.refresh(ada.refreshToken)
      if (!stopping.signal.aborted) answers.push({ status, retryAfter: headers.get('retry-after') })
      await delay(50)
    }
  })
  try {
    await other.keystile.sessions.revokeAll(bob.subject)
    assert.equal(await untilRefused(busy, bob.accessToken), 'invalid_token')
    await until(() => answers.length >= 100)
    for (const answer of answers) assert.deepEqual(answer, { status: 503, retryAfter: '1' })
    await assert.rejects(busy.keystile.verifier.verify(bob.accessToken), { code: 'invalid_token' })
  } finally {
    stopping.abort()
    await client.end()
    await Promise.all(senders)
    await busy.keystile.close()
  }
}
