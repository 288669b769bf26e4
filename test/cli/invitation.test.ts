// `keystile user invite`: the command stores the mail, and a running server sends it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
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
  /** Returns the token of the newest mail to an address. */
  const readToken = async (email: string): Promise<string> => {
    const pattern = new RegExp(`To ${email},[^]*?accept-invitation\\?token=([\\w-]{43})`)
    for (;;) {
      const text = await (await fetch(`${server.url}/dev/mail`)).text()
      const token = pattern.exec(text)?.[1]
      if (token !== undefined) return token
      await delay(50)
    }
  }
  const accept = (token: string, username = 'bob'): Promise<Response> =>
    fetch(`${server.url}/invitations/accept`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, username, password }),
    })

  it('`user invite --role R` gives role R to the user who accepts the invitation', async () => {
    const { code, stdout } = await user(['invite', 'bob@example.com', '--role', 'reader'])
    assert.match(stdout, /^invited bob@example\.com; the link expires at 2\d{3}-\S+Z\n$/)
    assert.equal(code ?? 0, 0)
    const answer = await accept(await readToken('bob@example.com'))
    assert.equal(answer.status, 201)
    const { stdout: listed } = await user(['list'])
    assert.match(listed, /bob\s+bob@example\.com\s+active\s+\S+\s+role:reader/)

    const again = await user(['invite', 'BOB@example.com'])
    assert.match(again.stderr, /this email is already taken/)
    assert.equal(again.code, 1)
  })

  it('`keystile user invitations` lists the invitations that can still be accepted', async () => {
    await user(['invite', 'Zoe@example.com', '--role', 'reader', '--scope', 'items:read'])
    await user(['invite', 'yan@example.com'])
    const { stdout } = await user(['invitations'])
    const time = '2\\d{3}-\\S+Z'
    assert.match(
      stdout,
      new RegExp(
        `^yan@example\\.com\t${time}\t${time}\t-\n` +
          `Zoe@example\\.com\t${time}\t${time}\trole:reader items:read\n$`,
      ),
    )
    const { stdout: json } = await user(['invitations', '--json'])
    const [, zoe = ''] = json.split('\n')
    const { invited_at, expires_at, ...rest } = JSON.parse(zoe) as Record<string, string>
    assert.deepEqual(rest, { email: 'Zoe@example.com', scopes: ['items:read'], roles: ['reader'] })
    const days = (Date.parse(expires_at ?? '') - Date.parse(invited_at ?? '')) / 86_400_000
    assert.equal(days, 7)

    const otherKey = { ...env, KEYSTILE_KEY: randomBytes(32).toString('base64') }
    assert.match((await user(['invitations'], otherKey)).stdout, /^yan\S+\t\S+\t\S+\tunreadable\n/)
    for (const email of ['zoe@example.com', 'yan@example.com']) await user(['uninvite', email])
    assert.equal((await user(['invitations'])).stdout, '')
  })

  it('an invitation cannot be accepted after `keystile user uninvite`', async () => {
    await user(['invite', 'carol@example.com'])
    const token = await readToken('carol@example.com')
    const { stdout } = await user(['uninvite', 'Carol@example.com'])
    assert.equal(stdout, 'revoked the invitation for Carol@example.com\n')
    assert.equal((await accept(token, 'carol')).status, 403)
    const again = await user(['uninvite', 'carol@example.com'])
    assert.match(again.stderr, /there is no invitation for carol@example\.com/)
  })

  it('`keystile user invite` fails for a bad address or role, or without mail setup', async () => {
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
