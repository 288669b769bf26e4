// Runs in the copy of the source that has the new table of user data, on both databases.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { callCommand } from '../../packages/server/test-support/command.ts'
import {
  describeOnBoth,
  issuer,
  key,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

/** Writes a note and a reminder. Returns the writer's access token. */
async function writeNotes({ send, accessToken }: TestKeystile, username: string): Promise<string> {
  const bearer = await accessToken(username)
  for (const reminds of [false, true]) {
    const json = { text: `${username} ${reminds}`, reminds }
    const { status, text } = await send('POST', '/users/me/notes', { bearer, json })
    assert.equal(status, 204, text)
  }
  return bearer
}

describeOnBoth('the table of user data', (stage) => {
  const readTexts = async (): Promise<readonly unknown[]> =>
    (await stage.sql('select text from note')).map(({ text }) => text).toSorted()

  it('users write and read their own rows of the new table', async () => {
    const running = await stage.start()
    const bearer = await writeNotes(running, 'ada')
    await writeNotes(running, 'bob')
    const { json } = await running.send('GET', '/users/me/notes', { bearer })
    assert.deepEqual(Object.values(json).toSorted(), ['ada false', 'ada true'])
    assert.equal((await running.send('GET', '/users/me/notes')).status, 401)
  })

  it('deleting a user erases the user’s rows of the new table', async () => {
    const running = await stage.start()
    const bearer = await writeNotes(running, 'ada')
    await writeNotes(running, 'bob')
    assert.equal((await running.send('DELETE', '/users/me', { bearer })).status, 204)
    assert.deepEqual(await readTexts(), ['bob false', 'bob true'])
  })

  it('a restore deletes the rows that `restored` of the new table names', async () => {
    await writeNotes(await stage.start(), 'ada')
    const { code, stdout } = await callCommand(['finish-restore', '--issuer', issuer, '--json'], {
      cwd: import.meta.dirname,
      env: { KEYSTILE_DATABASE: stage.database, KEYSTILE_KEY: key },
    })
    assert.equal(code, 0)
    assert.equal(JSON.parse(stdout).reminders_deleted, 1)
    assert.deepEqual(await readTexts(), ['ada false'])
  })
})
