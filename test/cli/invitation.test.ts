// `keystile user invite`: the command stores the mail, and a running server sends it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { createKeystile } from '@keystile/server'
import {
  callCommand,
  freePort,
  startServer,
  type Finished,
  type RunningServer,
} from '../../packages/server/test-support/command.ts'
import { copyMigratedFile } from '../../packages/server/test-support/migrated.ts'
import { until } from '../../tools/until.ts'

const password = 'an engine of her own'

describe('keystile user invite', () => {
  let cwd: string
  let database: string
  let issuer: string
  let env: Record<string, string>
  /** Starts with the first test that needs it. */
  let server: RunningServer | undefined
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'keystile-invite-'))
    mkdirSync(join(cwd, 'data'), { mode: 0o700 })
    database = await copyMigratedFile(join(cwd, 'data/keystile.db'))
    const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
    const config = { scopes, roles: { reader: ['items:read'], writer: ['items:write'] } }
    writeFileSync(join(cwd, 'keystile.config.json'), JSON.stringify(config))
    issuer = `http://localhost:${await freePort()}`
    env = {
      KEYSTILE_KEY: 'a sealing key for tests: 0123456789 abcdef',
      KEYSTILE_MAIL_URL: 'console:',
      KEYSTILE_MAIL_FROM: 'no-reply@example.com',
      KEYSTILE_REGISTRATION: 'closed',
    }
  })
  after(async () => {
    await server?.stop()
    server = undefined
    rmSync(cwd, { recursive: true })
  })

  const user = (args: readonly string[], other = env): Promise<Finished> =>
    callCommand(['user', ...args, '--issuer', issuer], { cwd, env: other })
  const start = async (): Promise<RunningServer> => {
    const port = Number(new URL(issuer).port)
    return (server ??= await startServer({ cwd, env, port, args: ['--issuer', issuer] }))
  }
  /** Returns the token of the newest mail to an address. */
  const readToken = async (email: string): Promise<string> => {
    const { url } = await start()
    const pattern = new RegExp(`To ${email}<[^]*?accept-invitation\\?token=([\\w-]{43})`)
    return until(async () => pattern.exec(await (await fetch(`${url}/dev/mail`)).text())?.[1])
  }
  const accept = (token: string, username = 'bob'): Promise<Response> =>
    fetch(`${issuer}/invitations/accept`, {
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
    assert.match(listed, /bob\s+\S+\s+bob@example\.com\s+active\s+\S+\s+role:reader/)
  })

  it('`keystile user invitations` lists the invitations that can still be accepted', async () => {
    const names = ['--role', 'reader', '--role', 'writer', '--scope', 'items:read']
    await user(['invite', 'Zoe@example.com', ...names, '--scope', 'items:write'])
    const invited = await user(['invite', '8@example.com'])
    assert.match(invited.stdout, /^invited 8@example\.com; the link expires at 2\d{3}-\S+Z\n$/)
    const { stdout } = await user(['invitations'])
    const time = '2\\d{3}-\\S+Z'
    assert.match(
      stdout,
      new RegExp(
        `^8@example\\.com\t${time}\t${time}\t-\nZoe@example\\.com\t${time}\t${time}\t` +
          'role:reader role:writer items:read items:write\n$',
      ),
    )
    const { stdout: json } = await user(['invitations', '--json'])
    const [, zoe = ''] = json.split('\n')
    const { invited_at, expires_at, ...rest } = JSON.parse(zoe) as Record<string, string>
    assert.deepEqual(rest, {
      email: 'Zoe@example.com',
      scopes: ['items:read', 'items:write'],
      roles: ['reader', 'writer'],
    })
    const days = (Date.parse(expires_at ?? '') - Date.parse(invited_at ?? '')) / 86_400_000
    assert.equal(days, 7)

    const otherKey = { ...env, KEYSTILE_KEY: randomBytes(32).toString('base64') }
    assert.match((await user(['invitations'], otherKey)).stdout, /^8\S+\t\S+\t\S+\tunreadable\n/)
    const unreadable = await user(['invitations', '--json'], otherKey)
    assert.match(unreadable.stdout, /^\{"email":"8@example\.com","scopes":null,"roles":null,/)
    for (const email of ['Zoe@example.com', '8@example.com']) {
      const revoked = await user(['uninvite', email])
      assert.equal(revoked.stdout, `revoked the invitation for ${email}\n`)
    }
    assert.equal((await user(['invitations'])).stdout, '')
    const again = await user(['uninvite', '8@example.com'])
    assert.match(again.stderr, /there is no invitation for 8@example\.com/)
    assert.equal(again.code, 1)
  })

  it('`keystile user invitations` lists every invitation when there are hundreds', async () => {
    await user(['invite', 'all@example.com'])
    const file = new DatabaseSync(database, { timeout: 60_000 })
    const row = file.prepare('select * from mail_proof').get()!
    const columns = Object.keys(row).filter(
      (name) => !['id', 'token_hash', 'mailbox'].includes(name),
    )
    file.exec(`
      with recursive n(i) as (select 100 union all select i + 1 from n where i < 499)
      insert into mail_proof (id, token_hash, mailbox, ${columns.join(', ')})
      select 'id' || i, 'hash' || i, i || '@example.com', ${columns.join(', ')} from mail_proof, n`)
    const { stdout } = await user(['invitations'])
    const listed = stdout.split('\n').map((line) => line.split('\t')[0])
    const expected = Array.from({ length: 400 }, (_, i) => `${100 + i}@example.com`)
    assert.deepEqual(listed, [...expected, 'all@example.com', ''])
    file.exec('delete from mail_proof')
    file.close()
  })

  it('an invitation cannot be accepted after `keystile user uninvite`', async () => {
    await user(['invite', 'carol@example.com'])
    const token = await readToken('carol@example.com')
    assert.equal((await user(['uninvite', 'Carol@example.com'])).code, 0)
    assert.equal((await accept(token, 'carol')).status, 403)
  })

  it('`user invite` fails for bad values, too many mails or no mail setup', async () => {
    const { KEYSTILE_MAIL_URL: _url, KEYSTILE_MAIL_FROM: _from, ...withoutMail } = env
    for (let sent = 0; sent < 3; sent++) await user(['invite', 'often@example.com'])
    for (const [args, message, other] of [
      [
        ['invite', 'often@example.com'],
        /this mailbox got too many invitations; try again in an/,
        env,
      ],
      [['invite', 'nobody'], /must be an e-mail address/, env],
      [['invite', '|/bin/sh@example.com'], /must be an e-mail address/, env],
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

  it('`user invite` fails for a taken address, or if the app stores its users itself', async () => {
    const own = await copyMigratedFile(join(cwd, 'app.db'))
    const options = { issuer, database: own, key: env['KEYSTILE_KEY'] }
    const invite = (): Promise<Finished> => user(['invite', 'Eve@example.com', '--database', own])
    const keystile = await createKeystile(options)
    await keystile.users.create({ username: 'eve', email: 'eve@example.com', password })
    await keystile.close()
    const taken = await invite()
    assert.match(taken.stderr, /this email is already taken/)
    assert.equal(taken.code, 1)

    const nobody = { findByLogin: () => null, findBySubject: () => null }
    const rest = { active: () => true, scopes: () => [], passwordHash: () => null }
    const users = { ...nobody, ...rest, subject: (): string => 'ada' }
    await (await createKeystile({ ...options, users })).close()
    const { code, stderr } = await invite()
    assert.match(stderr, /the app that uses this database stores its users itself/)
    assert.equal(code, 1)
  })
})
