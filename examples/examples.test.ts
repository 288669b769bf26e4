// Each example is started as its README line says, and used as its reader would use it.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { freePort } from '../test/support/command.ts'

const password = 'an engine of her own'
const maxLines = 12

for (const { name, file } of [
  { name: 'hono', file: 'app.ts' },
  { name: 'node', file: 'main.ts' },
]) {
  describe(`examples/${name}`, () => {
    let cwd: string
    let url: string
    let child: ChildProcess
    before(async () => {
      cwd = mkdtempSync(join(tmpdir(), 'keystile-example-'))
      const port = await freePort()
      url = `http://localhost:${port}`
      child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, name, 'main.ts')], {
        cwd,
        env: { ...process.env, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout!, 'data')
    })
    after(async () => {
      child.kill()
      await once(child, 'exit')
      rmSync(cwd, { recursive: true })
    })

    const post = (
      path: string,
      body: URLSearchParams | string,
      headers: Record<string, string> = {},
    ): Promise<Response> => fetch(`${url}${path}`, { method: 'POST', body, headers })

    it('registers a person, logs them in, and opens the route that they may open', async () => {
      const person = JSON.stringify({ username: 'ada', email: 'ada@example.com', password })
      assert.equal((await post('/auth/users', person, { 'content-type': 'application/json' })).status, 201)
      const login = await post('/auth/token', new URLSearchParams({ username: 'ada', password }))
      const { access_token } = (await login.json()) as { access_token: string }
      const headers = { authorization: `Bearer ${access_token}` }
      const items = await fetch(`${url}/items`, { headers })
      assert.equal(items.status, 200)
      assert.equal(((await items.json()) as { owner: string }).owner, 'ada')
      if (name === 'hono') assert.equal((await post('/items', '', headers)).status, 403, 'a scope that she lacks')
      assert.equal((await fetch(`${url}/items`)).status, 401)
      assert.equal((await fetch(`${url}/nothing`, { headers })).status, 404)
      assert.equal((await fetch(`${url}/.well-known/oauth-authorization-server/auth`)).status, 200)
    })

    it(`has at most ${maxLines} lines that Keystile brings, options and guarded routes included`, () => {
      const lines = readFileSync(join(import.meta.dirname, name, file), 'utf8').split('\n')
      const start = lines.findIndex((line) => line.includes('createKeystile({'))
      const options = lines.slice(start, lines.indexOf('})', start) + 1)
      const others = lines.filter(
        (line) => !options.includes(line) && !line.startsWith('//') && /keystile|guard|mount|auth|loggedIn/.test(line),
      )
      assert.ok(options.length + others.length <= maxLines, [...options, ...others].join('\n'))
    })
  })
}
