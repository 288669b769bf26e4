// Under `node --watch`, Node itself posts messages from each thread to the main thread. Keystile must
// not take one of them for the reply of its own thread: that reply may be the verdict on a password.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'

const program = `
import { createKeystile } from '${import.meta.resolve('@keystile/server')}'

const issuer = 'http://localhost:3000'
const keystile = await createKeystile({ issuer, database: ':memory:', rateLimits: 'off' })
const ask = (path, body, type) =>
  keystile.fetch(new Request(issuer + path, { method: 'POST', headers: { 'content-type': type }, body }))

const statuses = []
for (const username of ['ada', 'bob']) {
  const person = { username, email: username + '@example.com', password: username + ' has a long password' }
  statuses.push((await ask('/users', JSON.stringify(person), 'application/json')).status)
}
for (const [username, word] of [['ada', 'no'], ['bob', 'long'], ['ada', 'no'], ['ada', 'long'], ['bob', 'no'], ['bob', 'no']]) {
  const form = new URLSearchParams({ username, password: username + ' has a ' + word + ' password' })
  statuses.push((await ask('/token', form, 'application/x-www-form-urlencoded')).status)
}
await keystile.close()
console.log('statuses ' + statuses.join(' '))
`

it('under node --watch, each login gets the verdict on its own password', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keystile-watch-'))
  const file = join(folder, 'app.mjs')
  writeFileSync(file, program)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--watch', '--conditions=source', file], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    // The watcher does not exit with the program, so it is ended when the result is printed.
    child.stdout.on('data', (data: Buffer) => {
      if (/statuses .*\n|Completed running|Failed running/.test(String(data))) child.kill()
    })
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    assert.match(stdout, /^statuses 201 201 400 200 400 200 400 400$/m, stdout + stderr)
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
})
