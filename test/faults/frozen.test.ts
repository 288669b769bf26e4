// A process freezes inside a transaction (SIGSTOP, as on a paused machine) and keeps its locks in
// PostgreSQL.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import {
  createTestClock,
  describeOnBoth,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import { countBackends, isWaiting } from '../../packages/server/test-support/postgres.ts'
import { until } from '../../tools/until.ts'
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
    await until(async () => (await countBackends(stage.database, 'idle in transaction')) > 0)
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
      const answersOf = (request: AskedRequest) => async (): Promise<number | false> => {
        const { status } = await other.send(...request)
        return status !== 503 && status
      }
      // PostgreSQL ends the transaction after 3 s. On a busy machine, the other process may notice
      // it after more than 4 s, and answer 503 meanwhile.
      assert.equal(await until(answersOf(logOut(bob.accessToken))), 204)
      for (const [{ accessToken }, expected] of [
        [ada, 401],
        [bob, 401],
        [eve, 200],
      ] as const)
        assert.equal(
          await until(answersOf(['GET', '/users/me', { bearer: accessToken }])),
          expected,
        )

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
      await until(async () => (await countBackends(stage.database, 'idle in transaction')) === 0)
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
