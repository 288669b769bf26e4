import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Kysely } from 'kysely'
import { openDatabase } from '../../storage/open.ts'
import { openSqliteFile, sqliteDialect } from '../../storage/sqlite-dialect.ts'
import type { Tables } from '../../storage/tables.ts'
import { hasUnnumberedEvents, insertEvents, listEventsAfter, numberEvents } from './store.ts'

const now = Date.UTC(2026, 10, 25)
const margin = 60_000

describe('the events of a database', () => {
  let folder: string
  let kysely: Kysely<Tables>
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keystile-event-store-'))
    const file = join(folder, 'keystile.db')
    await (await openDatabase(file, new URL('../../server/writer-thread.ts', import.meta.url))).close()
    kysely = new Kysely<Tables>({ dialect: sqliteDialect(openSqliteFile(file, { readOnly: false })) })
  })
  after(async () => {
    await kysely.destroy()
    rmSync(folder, { recursive: true })
  })

  const insert = (value: string, tokensExpireAt: number): Promise<void> =>
    kysely
      .transaction()
      .execute((transaction) => insertEvents(transaction, [{ kind: 'session', value, tokensExpireAt }], now))
  const number = (): Promise<void> =>
    kysely.transaction().execute((transaction) => numberEvents.run(transaction, undefined))
  const list = async (after = 0, at = now): Promise<readonly (readonly [number, string, number])[]> =>
    (await listEventsAfter(kysely, after, at)).map(({ seq, value, expiresAt }) => [seq, value, expiresAt - now])

  it('are kept for 60 s after the last token that they hit, and left out when that is over', async () => {
    assert.equal(await hasUnnumberedEvents(kysely), false)
    await insert('over', now - margin)
    assert.equal(await hasUnnumberedEvents(kysely), false)
    await insert('last', now - margin + 1)
    await insert('later', now + 5)
    assert.equal(await hasUnnumberedEvents(kysely), true)
  })

  it('appear when they are numbered, and each once', async () => {
    assert.deepEqual(await list(), [])
    await number()
    await number()
    assert.equal(await hasUnnumberedEvents(kysely), false)
    const numbered = await list()
    assert.deepEqual(
      numbered.map(([seq]) => seq),
      [1, 2],
    )
    const expiries = Object.fromEntries(numbered.map(([, value, expiresIn]) => [value, expiresIn]))
    assert.deepEqual(expiries, { last: 1, later: margin + 5 })
    await insert('third', now)
    await number()
    assert.deepEqual(await list(2), [[3, 'third', margin]])
  })

  it('are listed until they can hit nothing', async () => {
    assert.deepEqual(await list(2, now + margin - 1), [[3, 'third', margin]])
    assert.deepEqual(await list(2, now + margin), [])
  })
})
