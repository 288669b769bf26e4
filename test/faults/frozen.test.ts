// A process freezes inside a transaction (SIGSTOP, as on a paused machine) and keeps its locks in
// PostgreSQL.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import {
  createTestClock,
  describeOnBoth,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import { countBackends, isWaiting } from '../../packages/server/test-support/postgres.ts'
import {
  startProcess,
  type AskedRequest,
  type KeystileProcess,
  type ToldAnswer,
} from './process.ts'

const logOut = (bearer: string): AskedRequest => ['DELETE', '/users/me/sessions', { bearer }]

/** Makes a process send a request, and freezes it while it holds the row that `lock` selects. */
async function freezeHolding(
  stage: Stage,
  process: KeystileProcess,
  { lock, request }: { readonly lock: string; readonly request: AskedRequest },
): Promise<{ readonly answers: Promise<readonly ToldAnswer[]> }> {
  const client = new pg.Client({
    connectionString: stage.database,
    options: '-c search_path=keystile',
  })
  await client.connect()
  try {
    await client.query(`begin; ${lock} for update`)
    const answers = process.ask([request])
    await isWaiting(stage.database)
    process.freeze()
    await client.query('commit')
    while ((await countBackends(stage.database, 'idle in transaction')) === 0) await delay(5)
    return { answers }
  } finally {
    await client.end()
  }
}

describeOnBoth('a process that freezes inside a transaction', (stage) => {
  if (stage.kind === 'SQLite') return // there the server is one process

  it('while one process is frozen, other processes still revoke and refuse tokens', async () => {
    const other = await stage.start({ clock: createTestClock() })
    const [ada, bob, eve] = [
      await other.tokens('ada'),
      await other.tokens('bob'),
      await other.tokens('eve'),
    ]
    const frozen = await startProcess(stage.database)
    try {
      const lock = 'select id from feed'
      const { answers } = await freezeHolding(stage, frozen, {
        lock,
        request: logOut(ada.accessToken),
      })
      const { status } = await other.send(...logOut(bob.accessToken))
      assert.equal(status, 204)
      for (const { accessToken } of [ada, bob])
        await assert.rejects(other.keystile.verifier.verify(accessToken), { code: 'invalid_token' })
      assert.equal((await other.send('GET', '/users/me', { bearer: eve.accessToken })).status, 200)

      frozen.thaw()
      const [told] = await answers
      // The session had ended before. Whether the frozen process could number the event depends on
      // the connection that it used.
      assert.ok(told?.status === 204 || told?.status === 503, JSON.stringify(told))
      const [again] = await frozen.ask([['GET', '/users/me', { bearer: eve.accessToken }]])
      assert.equal(again?.status, 200)
    } finally {
      frozen.thaw()
      await frozen.stop()
    }
  })

  it('a logout gets 503 if its process freezes until the transaction is rolled back', async () => {
    const other = await stage.start({ clock: createTestClock() })
    const { accessToken, sessionId } = await other.tokens()
    const frozen = await startProcess(stage.database)
    try {
      const lock = `select id from session where id = '${sessionId}'`
      const { answers } = await freezeHolding(stage, frozen, { lock, request: logOut(accessToken) })
      const until = performance.now() + 10_000
      while ((await countBackends(stage.database, 'idle in transaction')) > 0) {
        assert.ok(performance.now() < until, 'ten seconds have passed')
        await delay(20)
      }
      frozen.thaw()
      assert.deepEqual(
        (await answers).map(({ status }) => status),
        [503],
      )
      assert.equal((await other.send('GET', '/users/me', { bearer: accessToken })).status, 200)
      const [again] = await frozen.ask([logOut(accessToken)])
      assert.equal(again?.status, 204)
    } finally {
      frozen.thaw()
      await frozen.stop()
    }
  })
})
