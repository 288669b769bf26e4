// Under `node --watch`, Node itself posts messages from each thread to the main thread. Keystile
// must not take such a message for the reply of its own thread: that reply may be the verdict on a
// password.
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

async function post(path, body, type) {
  const init = { method: 'POST', headers: { 'content-type': type }, body }
  return (await keystile.fetch(new Request(issuer + path, init))).status
}

const statuses = []
for (const username of ['ada', 'bob']) {
  const password = username + ' has a long password'
  const person = JSON.stringify({ username, email: username + '@example.com', password })
  statuses.push(await post('/users', person, 'application/json'))
}
for (const login of ['ada no', 'bob long', 'ada no', 'ada long', 'bob no', 'bob no']) {
  const [username, word] = login.split(' ')
  const password = username + ' has a ' + word + ' password'
  const form = new URLSearchParams({ username, password })
  statuses.push(await post('/token', form, 'application/x-www-form-urlencoded'))
}
await keystile.close()
console.log('statuses ' + statuses.join(' '))
`

it('under node --watch, each login gets the answer for its own password', async () => {
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
