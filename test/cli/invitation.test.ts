// `keystile user invite`: the command stores the mail, and a running server sends it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  callCommand,
  freePort,
  startServer,
  type Finished,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'

const password = 'an engine of her own'

describe('keystile user invite', () => {
  let cwd: string
  let env: Record<string, string>
  let server: RunningServer
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-invite-'))
    const roles = { reader: ['items:read'] }
    const config = { scopes: { 'items:read': 'Read items' }, roles }
    writeFileSync(join(cwd, 'keystile.config.json'), JSON.stringify(config))
    const port = await freePort()
    env = {
      KEYSTILE_ISSUER: `http://localhost:${port}`,
      KEYSTILE_MAIL_URL: 'console:',
      KEYSTILE_MAIL_FROM: 'no-reply@example.com',
      KEYSTILE_REGISTRATION: 'closed',
    }
    server = await startServer({ cwd, env, port })
  })
  after(async () => {
    await server.stop()
    rmSync(cwd, { recursive: true })
  })

  const user = (args: readonly string[], other = env): Promise<Finished> =>
    callCommand(['user', ...args], { cwd, env: other })
  /** Returns the token of the newest mail. */
  const readToken = async (before?: string): Promise<string> => {
    for (;;) {
      const text = await (await fetch(`${server.url}/dev/mail`)).text()
      const token = /accept-invitation\?token=([\w-]{43})/.exec(text)?.[1]
      if (token !== undefined && token !== before) return token
      await delay(50)
    }
  }
  const accept = (token: string, username = 'bob'): Promise<Response> =>
    fetch(`${server.url}/invitations/accept`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, username, password }),
    })

  it('invites a person, who creates an account with the given rights', async () => {
    const { code, stdout } = await user(['invite', 'bob@example.com', '--role', 'reader'])
    assert.match(stdout, /^invited bob@example\.com; the link expires at 2\d{3}-\S+Z\n$/)
    assert.equal(code ?? 0, 0)
    const answer = await accept(await readToken())
    assert.equal(answer.status, 201)
    const { stdout: listed } = await user(['list'])
    assert.match(listed, /bob\s+bob@example\.com\s+active\s+\S+\s+role:reader/)

    const again = await user(['invite', 'BOB@example.com'])
    assert.match(again.stderr, /this email is already taken/)
    assert.equal(again.code, 1)
  })

  it('a revoked invitation creates no account', async () => {
    const before = await readToken()
    await user(['invite', 'carol@example.com'])
    const token = await readToken(before)
    const { stdout } = await user(['uninvite', 'Carol@example.com'])
    assert.equal(stdout, 'revoked the invitation for Carol@example.com\n')
    assert.equal((await accept(token, 'carol')).status, 403)
    const again = await user(['uninvite', 'carol@example.com'])
    assert.match(again.stderr, /there is no invitation for carol@example\.com/)
  })

  it('says what is missing or not declared', async () => {
    const { KEYSTILE_MAIL_URL: _url, KEYSTILE_MAIL_FROM: _from, ...withoutMail } = env
    for (const [args, message, other] of [
      [['invite', 'nobody'], /must be an e-mail address/, env],
      [['invite', 'dan@example.com', '--role', 'boss'], /--role must be a declared role/, env],
      [
        ['invite', 'dan@example.com'],
        /needs a mail server\. Fix: set KEYSTILE_MAIL_URL/,
        withoutMail,
      ],
    ] as const) {
      const { code, stderr } = await user(args, other)
      assert.match(stderr, message)
      assert.equal(code, 1)
    }
  })
})
