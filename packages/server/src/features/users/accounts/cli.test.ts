import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Worker } from 'node:worker_threads'
import * as z from 'zod'
import { prepareCall } from '../../../../test-support/call.ts'
import { createIssuing } from '../../../../test-support/issuing.ts'
import { openMigratedFile, type MigratedFile } from '../../../../test-support/migrated.ts'
import type { Call } from '../../../feature/cli-command.ts'
import { ofUser } from '../../../server/commands.ts'
import { verify } from '../../credentials/password/argon2.ts'
import { byOperator } from '../../operations/audit/by.ts'
import { startLogin } from '../../sign-in/login/store.ts'
import { createSessionStarter } from '../../tokens/sessions/sessions.ts'
import { cliCommands } from './cli-commands.ts'
import type { Options } from './cli.ts'

const password = 'an engine of her own'
const now = Date.UTC(2026, 10, 25)
const day = '2026-11-25T00:00:00.000Z'
const clock = { now: () => now }

const settings: Options = {
  issuer: 'https://service.example',
  scopes: { 'items:read': 'Read items', 'items:write': 'Write items' },
  roles: { reader: ['items:read'], writer: ['items:write'] },
  defaultScopes: [],
  passwordMinLength: 15,
  passwordHashing: { memoryKiB: 8, passes: 1 }, // far too quick for a server
}

interface Extras {
  readonly options?: Partial<Options>
  readonly flags?: Partial<Call<Options>['flags']>
  readonly answer?: (question: string) => string
}

describe('keystile user', () => {
  let open: MigratedFile
  let folder: string
  let opened: unknown

  before(async () => {
    open = await openMigratedFile()
    folder = dirname(open.path)
  })
  beforeEach(() => {
    open.file.exec('delete from audit; delete from session; delete from mail; delete from user')
    writeFileSync(join(folder, 'password'), password, { mode: 0o600 })
  })
  after(() => open.close())

  /** Runs `keystile user` with the database of the test, and returns what it prints. */
  async function user([word, ...args]: readonly string[], extras: Extras = {}): Promise<string> {
    const command = cliCommands.find(({ words }) => words.join(' ') === `user ${word}`)!
    const { call, printed } = prepareCall(command, args, extras.answer)
    const run = await command.load()
    await run({
      ...call,
      flags: { ...call.flags, ...extras.flags },
      clock,
      ofUser,
      settings: async () => ({ options: { ...settings, ...extras.options } }),
      async withDatabase(work, options) {
        opened = options
        await work(open.database)
      },
    })
    return printed.stderr + printed.stdout
  }
  const create = (name: string, ...args: readonly string[]): Promise<string> =>
    user(['create', name, ...args, '--password-file', join(folder, 'password')])
  /** Stores a user without hashing a password. */
  const add = (
    name: string,
    {
      email = null,
      roles = [],
      scopes = [],
    }: {
      readonly email?: string | null
      readonly roles?: readonly string[]
      readonly scopes?: readonly string[]
    } = {},
  ): unknown =>
    open.file
      .prepare(
        `insert into user (id, username, username_key, email, email_key, password_hash,
          scopes, roles, profile, created_at) values (?, ?, ?, ?, ?, 'hash', ?, ?, '{}', ?)`,
      )
      .run(
        `id of ${name}`,
        name,
        name.toLowerCase(),
        email,
        email,
        JSON.stringify(scopes),
        JSON.stringify(roles),
        now,
      )
  const read = (query: string): Readonly<Record<string, unknown>> => ({
    ...open.file.prepare(query).get(),
  })

  it('`user create` stores everything that it is given, and may create the database', async () => {
    const profile = join(folder, 'profile')
    writeFileSync(profile, '{"city":"London"}')
    const rights = ['--role', 'reader', '--role', 'writer', '--scope', 'items:read']
    const args = ['create', 'Ada', '--email', 'Ada@Example.com', ...rights, '--profile', profile]
    const threads: Worker[] = []
    const onThread = (thread: Worker): unknown => threads.push(thread)
    process.on('worker', onThread)
    const printed = await user([...args, '--password-file', join(folder, 'password')], {
      options: { profile: z.object({ city: z.string() }) },
    })
    process.off('worker', onThread)

    const { id, password_hash: hash, ...stored } = read('select * from user')
    assert.equal(printed, `created Ada (${String(id)})\n`)
    assert.match(String(hash), /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
    assert.ok(verify(Buffer.from(password), String(hash)))
    assert.deepEqual(stored, {
      username: 'Ada',
      username_key: 'ada',
      email: 'Ada@example.com',
      email_key: 'ada@example.com',
      email_verified_at: null,
      password_session: null,
      scopes: '["items:read"]',
      roles: '["reader","writer"]',
      profile: '{"city":"London"}',
      created_at: now,
      disabled_at: null,
      deleted_at: null,
    })
    assert.deepEqual(read('select actor, detail from audit'), {
      actor: 'operator',
      detail: '{"given":["role:reader","role:writer","items:read"]}',
    })
    assert.deepEqual(opened, { mayCreate: true })
    // The id of a thread that has ended is -1.
    assert.deepEqual(
      threads.map(({ threadId }) => threadId),
      [-1],
    )
  })

  it('`user create` refuses a name or address that is wrong, taken or in a password', async () => {
    add('Ada', { email: 'ada@example.com' })
    const name = 'a user name must have 2 to 63 letters, digits, dots, underscores or hyphens, '
    for (const [args, message] of [
      [['n@w'], `${name}and begin with a letter or digit`],
      [['new', '--email', 'new'], '--email must be an e-mail address, such as ada@example.com'],
      [['new', '--email=-oQ@a.com'], '--email must be an e-mail address, such as ada@example.com'],
      [['ADA'], 'this username is already taken'],
      [['new', '--email', 'ADA@example.com'], 'this email is already taken'],
    ] as const)
      await assert.rejects(create(args[0], ...args.slice(1)), { message })
    const contains = (what: string): object => ({
      message: new RegExp(`^Password should not contain your ${what}`),
    })
    await assert.rejects(create('engine'), contains('username'))
    await assert.rejects(create('new', '--email', 'engine@x.example'), contains('e-mail address'))
    assert.equal(read('select count(*) as users from user')['users'], 1)
  })

  it('`user list` prints a line or a JSON object for each user, sorted by name', async () => {
    assert.equal(await user(['list']), '')
    add('carol', { roles: ['reader'], scopes: ['items:write'] })
    add('Bob', { email: 'bob@example.com' })
    add('ada')
    await user(['disable', 'bob'])
    assert.equal(
      await user(['list']),
      `ada\tid of ada\t-\tactive\t${day}\t-\n` +
        `Bob\tid of Bob\tbob@example.com\tdisabled\t${day}\t-\n` +
        `carol\tid of carol\t-\tactive\t${day}\trole:reader items:write\n`,
    )
    assert.equal(opened, undefined)

    const lines = (await user(['list', '--json'])).trim().split('\n')
    const bob = JSON.parse(lines[1]!)
    assert.equal(lines.length, 3)
    assert.deepEqual(bob, {
      id: 'id of Bob',
      username: 'Bob',
      email: 'bob@example.com',
      email_verified: false,
      created_at: day,
      scopes: [],
      roles: [],
      disabled: true,
    })
  })

  it('`user list` lists more users than one query reads', async () => {
    add('ada')
    const columns = 'created_at, password_hash, scopes, roles, profile'
    open.file.exec(`
      with recursive number(n) as (select 1 union all select n + 1 from number where n < 1000)
      insert into user (id, username, username_key, ${columns})
      select n, 'u' || n, 'u' || n, ${columns} from user, number`)
    const lines = (await user(['list'])).trim().split('\n')
    assert.equal(new Set(lines).size, 1001)
    assert.equal(lines.length, 1001)
  })

  it('`user grant` adds and removes roles and scopes; `--now` ends the sessions', async () => {
    add('ada', { roles: ['reader'], scopes: ['items:read'] })
    const sessions = createSessionStarter(open.database, {
      startLogin,
      issuing: createIssuing(),
      clock,
    })
    const login = { clientId: 'c', scopes: [], refreshes: true, by: byOperator }
    await sessions.start({ ...login, subject: 'id of ada' })

    const changed = ['--role', 'writer', '--remove-role', 'reader', '--scope', 'items:write']
    assert.equal(
      await user(['grant', 'Ada', ...changed, '--remove-scope', 'items:read']),
      'ada has role:writer items:write\n',
    )
    assert.equal(read('select ended_at from session')['ended_at'], null)
    const roles = ['--remove-role', 'writer', '--remove-role', 'none']
    const scopes = ['--remove-scope', 'items:write', '--remove-scope', 'none']
    assert.equal(
      await user(['grant', 'ada', ...roles, ...scopes, '--now']),
      'ada has neither roles nor scopes\n',
    )
    assert.equal(read('select ended_at from session')['ended_at'], now)
    const events = open.file.prepare('select event from audit order by event').all()
    assert.deepEqual(
      events.map(({ event }) => event),
      ['grants_changed', 'grants_changed', 'login', 'sessions_ended'],
    )
  })

  it('`user disable` and `enable` change the access; disabling may send a mail', async () => {
    const mails = (): unknown => read('select count(*) as mails from mail')['mails']
    const disabledAt = (): unknown => read('select disabled_at from user')['disabled_at']
    add('Ada', { email: 'ada@example.com' })
    assert.equal(
      await user(['disable', 'ada']),
      'disabled Ada; a running server refuses their tokens within a second\n',
    )
    assert.deepEqual([disabledAt(), mails()], [now, 0])
    assert.equal(await user(['enable', 'ada']), 'enabled Ada\n')
    assert.equal(disabledAt(), null)
    const withMail = { options: { mailUrl: 'smtp://mail.example' } }
    const disabledNotices = ['account_disabled'] as const
    for (const word of ['disable', 'enable'])
      await user([word, 'ada'], { options: { ...withMail.options, disabledNotices } })
    assert.equal(mails(), 0)
    for (const word of ['disable', 'disable', 'enable']) await user([word, 'ada'], withMail)
    await user(['grant', 'ada', '--role', 'reader'], withMail)
    assert.equal(mails(), 1)
    assert.deepEqual(read('select template, recipient, sealed from mail'), {
      template: 'account_disabled',
      recipient: 'ada@example.com',
      sealed: null,
    })
  })

  it('`user set-password` hashes a typed password, or the password in a file', async () => {
    add('enchantress')
    const isStored = (password: string): boolean => {
      const hash = read('select password_hash from user')['password_hash']
      return verify(Buffer.from(password), String(hash))
    }
    const typed = 'five words of my own'
    const asked = await user(['set-password', 'Enchantress'], { answer: () => typed })
    const done = 'enchantress has a new password and no sessions\n'
    assert.equal(asked, `Password: \nPassword again: \n${done}`)
    assert.ok(isStored(typed))

    const inFile = ['set-password', 'enchantress', '--password-file', join(folder, 'password')]
    assert.equal(await user(inFile), done)
    assert.ok(isStored(password))
    writeFileSync(join(folder, 'password'), 'the enchantress of numbers')
    await assert.rejects(user(inFile), { message: /^Password should not contain your username/ })
  })

  it('`user grant` and `set-password` fail if the user changes at the same time', async () => {
    add('Ada')
    const change = (column: string): void =>
      open.file.exec(`update user set ${column} = '["other"]'`)
    await assert.rejects(
      user(['grant', 'ada', '--role', 'reader'], {
        flags: { list: (flag) => (change('scopes'), flag === 'role' ? ['reader'] : []) },
      }),
      { message: 'another process changed this user at the same time; try again' },
    )
    const answer = (): string => (change('password_hash'), password)
    await assert.rejects(user(['set-password', 'ada'], { answer }), {
      message: 'the password was changed at the same time; try again',
    })
    assert.deepEqual(read('select roles, password_hash from user'), {
      roles: '[]',
      password_hash: '["other"]',
    })
  })

  it('`user delete` asks for the name on a terminal, unless there is --yes', async () => {
    for (const name of ['ada', 'bob', 'eve']) add(name)
    const answer = (question: string): string => {
      assert.match(question, /^This deletes (ada|bob) for good\. To go on, type the user name: $/)
      return ' ada'
    }
    assert.match(await user(['delete', 'ADA'], { answer }), /deleted ada\n$/)
    const message = 'nothing was deleted: the answer must be bob'
    await assert.rejects(user(['delete', 'bob'], { answer }), { message })
    assert.equal(await user(['delete', 'bob', '--yes'], { answer }), 'deleted bob\n')
    assert.equal(await user(['delete', 'eve']), 'deleted eve\n')
  })

  it('`user delete` deletes a user, but no command removes the last administrator', async () => {
    add('ada')
    add('root', { roles: ['admin'] })
    assert.equal(await user(['delete', 'ADA']), 'deleted ada\n')
    await assert.rejects(user(['delete', 'ada']), { message: 'there is no user ada' })
    for (const args of [
      ['delete', 'root'],
      ['disable', 'root'],
      ['grant', 'root', '--remove-role', 'admin'],
    ])
      await assert.rejects(user(args), {
        message:
          'the last administrator must stay an administrator; ' +
          'give another user the role admin first',
      })
    assert.equal(await user(['list']), `root\tid of root\t-\tactive\t${day}\trole:admin\n`)
  })
})
