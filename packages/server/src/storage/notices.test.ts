import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Kysely } from 'kysely'
import { command } from './database.ts'
import { announce, createNotifier, runCommand } from './notices.ts'
import { openSqliteFile } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

describe('createNotifier', () => {
  it('notify() passes each notice in a list to each listener, and ignores undefined', () => {
    const heard: unknown[] = []
    const { onCommitted, notify } = createNotifier()
    for (const listener of [1, 2]) onCommitted((notice) => heard.push([listener, notice]))
    notify(undefined)
    notify(['a', 'b'])
    assert.deepEqual(heard, [
      [1, 'a'],
      [2, 'a'],
      [1, 'b'],
      [2, 'b'],
    ])
  })
})

describe('runCommand', () => {
  it('runCommand returns the notices of its own command, and none of other commands', async () => {
    const dialect = sqliteDialect(openSqliteFile(':memory:', 'write'))
    const db = new Kysely<unknown>({ dialect })
    const announcing = command('announcing', async (transaction, notices: readonly string[]) => {
      for (const notice of notices) announce(transaction, notice)
      return notices.length
    })
    const failing = command('failing', async (transaction) => {
      announce(transaction, 'lost')
      throw new Error('the command fails')
    })
    await db.transaction().execute(async (transaction) => {
      const run = (notices: readonly string[]): Promise<unknown> =>
        runCommand(announcing, transaction, notices)
      assert.deepEqual(await run(['a', 'b']), { result: 2, notices: ['a', 'b'] })
      await assert.rejects(runCommand(failing, transaction, undefined), /the command fails/)
      assert.deepEqual(await run([]), { result: 0 })
    })
    await db.destroy()
  })
})
