// The rules for accounts, which are the same over HTTP and with `keystile.users`.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import { startWay, ways } from '../../packages/server/test-support/account-ways.ts'
import { describeOnOne, password, type Stage } from '../../packages/server/test-support/keystile.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const roles = { reader: ['items:read'], writer: ['items:read', 'items:write'] }
const other = { username: 'other', email: 'other@example.com' }

for (const way of ways) {
  // Both ways run the same statements, so each database gets one.
  const kind = way === 'the endpoints' ? 'PostgreSQL' : 'SQLite'
  type Options = Parameters<Stage['start']>[0]
  const starter =
    (stage: Stage) =>
    (options?: Options): ReturnType<typeof startWay> =>
      startWay(way, stage, options)

  describeOnOne(kind, `a new account by ${way}`, (stage) => {
    const start = starter(stage)

    it('POST /users returns 409 for a taken name or address, in any letter case', async () => {
      const { by } = await start()
      assert.equal((await by.register({ username: 'Ada', email: 'ada@example.com' })).status, 201)
      for (const [fields, detail] of [
        [{ ...other, username: 'aDA' }, 'This username is already taken'],
        [{ ...other, email: 'ADA@EXAMPLE.com' }, 'This email is already taken'],
      ] as const) {
        const { status, json } = await by.register(fields)
        assert.deepEqual([status, json['detail']], [409, detail])
      }
    })

    it('if twenty requests for one name arrive at once, only one creates an account', async () => {
      const { by } = await start()
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) => by.register({ email: `ada${i}@example.com` })),
      )
      assert.equal(outcomes.filter(({ status }) => status === 201).length, 1)
      // An answer may also be 503: on a slow machine, some passwords cannot be hashed in time.
      assert.ok(outcomes.every(({ status }) => [201, 409, 503].includes(status)))
    })

    it('POST /users reports all faults, but repeats no value that the client sent', async () => {
      const { by } = await start()
      const { status, json } = await by.register({
        username: '_secret-name',
        email: 'secret',
        password: 7,
        city: 'secret',
      })
      assert.equal(status, 422)
      assert.deepEqual(
        json['errors'].map(({ loc, type }: { loc: unknown; type: string }) => [loc, type]),
        [
          [['body', 'username'], 'value_error'],
          [['body', 'email'], 'value_error'],
          [['body', 'password'], 'string_type'],
          [['body'], 'extra_forbidden'],
        ],
      )
      assert.doesNotMatch(JSON.stringify(json), /secret|city/)
    })

    it('POST /users stores the profile as the schema returns it', async () => {
      const nickname = z.string().trim().min(1).default('None')
      const { by } = await start({
        profile: z.strictObject({ nickname, age: z.int().optional() }),
      })
      const refused = await by.register({ nickname: 7, city: 'x' })
      assert.equal(refused.status, 422)
      assert.deepEqual(refused.json['errors'][0].loc, ['body', 'nickname'])

      const { status, json } = await by.register({ nickname: ' Countess ', age: 36 })
      assert.deepEqual([status, json['nickname'], json['age']], [201, 'Countess', 36])
    })

    it('POST /users accepts no reserved profile field, even if the schema allows it', async () => {
      const { by, add } = await start({ profile: z.looseObject({}) })
      const ada = await add('ada')
      const names = ['id', 'email_verified', 'createdAt', 'disabled', 'constructor', 'toJSON']
      for (const name of names) {
        const outcome = await by.register({ ...other, [name]: ['admin'] })
        assert.deepEqual(
          [outcome.status, outcome.json['errors'][0].msg],
          [422, 'This field is reserved'],
        )
      }
      for (const name of [...names, 'roles', 'scopes', 'password', 'email', '__proto__']) {
        const fields = JSON.parse(`{"${name}":["admin"]}`) as Record<string, unknown>
        assert.equal((await by.changeProfile(ada, fields)).status, 422, name)
      }
      assert.equal((await by.register({ ...other, city: 'London' })).status, 201)
    })

    it('no change, and no series of changes, makes a profile larger than 64 KiB', async () => {
      const { by, add } = await start({ profile: z.looseObject({}) })
      const ada = await add('ada')
      const tooLarge = await by.register({ ...other, a: 'x'.repeat(70_000) })
      assert.ok([413, 422].includes(tooLarge.status)) // 413: the request body has its own limit
      for (const [fields, expected] of [
        [{ a: 'x'.repeat(40_000) }, 200],
        [{ b: 'x'.repeat(25_000) }, 200],
        [{ c: 'x'.repeat(1_000) }, 422],
        [{ a: 'x', c: 'x'.repeat(30_000) }, 200],
        [{ d: 'é'.repeat(10_000) }, 422],
      ] as const) {
        const { status, json } = await by.changeProfile(ada, fields)
        assert.equal(status, expected, json['detail'])
      }
      const [row] = await stage.sql('select max(length(profile)) as length from "user"')
      assert.ok(Number(row?.['length']) <= 65_536)
    })

    it('a password has at least 15 characters and at most 1,024 bytes (ASVS V6.2.8)', async () => {
      const { by, started } = await start()
      const { login } = started
      const words = Array.from({ length: 300 }, (_, i) => `word ${i} `).join('')
      const most = `${words.slice(0, 1_000)}${'🔑'.repeat(6)}`
      const good = {
        fifteen: words.slice(0, 15),
        emoji: '🔑🗝🚪🏠🌳🐈🐕🌧🌈🚲🛶⛰🌋🗻🦉',
        sixtyfour: words.slice(0, 64),
        thousand: words.slice(0, 1_000),
        most,
        nul: `before\0after and more`,
        spaces: '    two wide margins    ',
        composed: 'Åland in Ångström'.normalize('NFC'),
      }
      for (const [username, secret] of Object.entries(good)) {
        const fields = { username, email: `${username}@example.com`, password: secret }
        assert.equal((await by.register(fields)).status, 201, username)
        assert.equal((await login({ username, password: secret })).status, 200, username)
      }
      const near = {
        fifteen: words.slice(0, 15).toUpperCase(),
        sixtyfour: `${words.slice(0, 63)}z`,
        thousand: words.slice(0, 999),
        most: `${most.slice(0, -2)}🗝`,
        nul: 'before\0after and mor',
        spaces: 'two wide margins',
        composed: 'Åland in Ångström'.normalize('NFD'),
      }
      for (const [username, secret] of Object.entries(near))
        assert.equal((await login({ username, password: secret })).status, 400, username)
      assert.equal(Buffer.byteLength(most), 1_024)
      const tooLong = `${most}x`
      const fourteen = [words.slice(0, 14), Array.from(good.emoji).slice(1).join('')]
      for (const secret of [...fourteen, tooLong])
        assert.equal((await by.register({ ...other, password: secret })).status, 422)
      assert.equal(
        (await login({ username: 'most', password: tooLong })).json['error'],
        'invalid_grant',
      )
    })

    it('a password needs no digit, sign or capital (NIST SP 800-63B-4 §3.1.1.2)', async () => {
      const { by } = await start()
      assert.equal((await by.register({ password: 'no signs no digits no capitals' })).status, 201)
    })

    it('common passwords and passwords that contain a name of the user are refused', async () => {
      const { by, add } = await start()
      const lovelace = await add('Lovelace')
      const bad = [
        [
          'passwordPASSWORD',
          /^password: Password should not be one of the most common passwords; several words/,
        ],
        ['Dragon-1234567890', /a common word with digits or signs around it/],
        ['qwertyuiop asdfghjkl', /a row of letters, digits or keys/],
        ['zebra5zebra5zebra5', /something short that is repeated/],
        ['the Countess of love', /should not contain your username/],
        ['lovelace on the run', /should not contain your e-mail address/],
        ['Localhost of mine', /should not contain the name of this service/],
      ] as const
      for (const [secret, expected] of bad) {
        const fields = { username: 'Countess', email: 'Lovelace+x@example.com', password: secret }
        const { status, json } = await by.register(fields)
        assert.equal(status, 422, secret)
        assert.match(json['detail'], expected)
        assert.deepEqual(json['errors'][0].loc, ['body', 'password'])
        assert.doesNotMatch(JSON.stringify(json), /dragon|qwerty|zebra|of love|on the run|of mine/i)
        if (!/Countess/.test(secret))
          assert.equal((await by.setPassword(lovelace, secret)).status, 422, secret)
      }
      assert.equal((await by.register({ password: 'ada drives an engine' })).status, 201)
    })

    it('a password needs the configured length, and must not be a common password', async () => {
      const { by } = await start({ passwordMinLength: 8 })
      const detail = async (secret: string): Promise<string> =>
        (await by.register({ password: secret })).json['detail']
      assert.match(await detail('zk4-ten'), /at least 8 characters/)
      assert.match(await detail('iloveyou'), /most common/)
      assert.equal((await by.register({ password: 'zk4-tent' })).status, 201)
    })
  })

  describeOnOne(kind, `a change by ${way}`, (stage) => {
    const start = starter(stage)

    it('a profile change keeps fields that were not sent, and must fit the schema', async () => {
      const { by, add } = await start({
        profile: z.strictObject({ city: z.string().optional(), age: z.int().optional() }),
      })
      const ada = await add('ada')
      assert.equal((await by.changeProfile(ada, { city: 'London' })).status, 200)
      const { json } = await by.changeProfile(ada, { age: 36 })
      assert.deepEqual([json['city'], json['age']], ['London', 36])
      for (const fields of [{ age: 'old' }, { street: 'x' }])
        assert.equal((await by.changeProfile(ada, fields)).status, 422, JSON.stringify(fields))
    })

    it('a profile change is refused if the server has no profile schema', async () => {
      const { by, add } = await start()
      assert.equal((await by.changeProfile(await add('ada'), { city: 'London' })).status, 422)
    })

    it('simultaneous profile changes lose no field', async () => {
      const { by, add } = await start({ profile: z.looseObject({}) })
      const ada = await add('ada')
      const outcomes = await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) => by.changeProfile(ada, { [name]: 1 })),
      )
      const { json } = await by.changeProfile(ada, {})
      const changed = outcomes.filter(({ status }) => status === 200)
      assert.ok(changed.length > 0)
      assert.ok(outcomes.every(({ status }) => status === 200 || status === 409))
      assert.equal(['a', 'b', 'c', 'd'].filter((name) => json[name] === 1).length, changed.length)
    })

    it('after a user gets a scope and a role, a login has the scopes of both', async () => {
      const { by, add, started } = await start({ scopes, roles })
      const bob = await add('bob')
      const { status, json } = await by.give(bob, { roles: ['reader'], scopes: ['items:write'] })
      assert.deepEqual([status, json['roles'], json['scopes']], [200, ['reader'], ['items:write']])
      assert.equal(
        (await started.login({ username: 'bob' })).json['scope'],
        'items:read items:write',
      )
      assert.equal((await started.open([], { bearer: bob.bearer })).status, 200)
    })

    it('a grant of an undeclared scope or role is refused', async () => {
      const { by, add } = await start({ scopes, roles })
      const bob = await add('bob')
      for (const rights of [
        { scopes: ['x'] },
        { roles: ['god'] },
        { scopes: 'items:read' },
        { roles: [1] },
        { password: 'x' },
        { roles: ['constructor'] },
        { scopes: ['__proto__'] },
      ])
        assert.equal((await by.give(bob, rights)).status, 422, JSON.stringify(rights))
    })

    it('a disabled user is refused at once, and can log in again when enabled', async () => {
      const { by, add, started } = await start()
      const bob = await add('bob')
      const disabled = await by.setDisabled(bob, true)
      assert.deepEqual([disabled.status, disabled.json['disabled']], [200, true])
      assert.equal((await started.open([], { bearer: bob.bearer })).status, 401)
      assert.equal((await started.login({ username: 'bob' })).status, 400)

      const enabled = await by.setDisabled(bob, false)
      assert.deepEqual([enabled.status, enabled.json['disabled']], [200, false])
      assert.equal((await started.open([], { bearer: bob.bearer })).status, 401)
      assert.equal((await started.login({ username: 'bob' })).status, 200)
    })

    it('the last administrator cannot be disabled, demoted or deleted', async () => {
      const { by, add, root } = await start()
      const bob = await add('bob')
      const refused = [
        await by.setDisabled(root, true),
        await by.demote(root),
        await by.remove(root),
      ]
      assert.deepEqual(
        refused.map(({ status, json }) => [status, json['detail']]),
        Array.from({ length: 3 }, () => [409, 'The last administrator must stay an administrator']),
      )
      assert.equal((await by.give(bob, { roles: ['admin'] })).status, 200)
      assert.equal((await by.demote(root)).status, 200)
    })

    it('deleting a user ends all tokens and deletes data, but the name stays taken', async () => {
      const { by, add, started } = await start()
      const bob = await add('bob')
      assert.equal((await by.remove(bob)).status, 204)
      assert.equal((await started.open([], { bearer: bob.bearer })).status, 401)
      assert.equal((await by.register({ ...other, username: 'BOB' })).status, 409)
      const [row] = await stage.sql(
        `select email, password_hash from "user" where id = '${bob.id}'`,
      )
      assert.deepEqual({ ...row }, { email: null, password_hash: '' })
    })

    it('a request to change an unknown user returns 404', async () => {
      const { by, add } = await start()
      const bob = await add('bob')
      for (const id of ['x', bob.id.toUpperCase(), `${bob.id}x`]) {
        const nobody = { ...bob, id }
        for (const outcome of [
          await by.give(nobody, { scopes: [] }),
          await by.setDisabled(nobody, true),
          await by.remove(nobody),
        ])
          assert.deepEqual([outcome.status, outcome.json['detail']], [404, 'There is no such user'])
      }
    })

    it('after a password change, only the new password works', async () => {
      const { by, add, started } = await start()
      const bob = await add('bob')
      assert.equal((await by.setPassword(bob, 'a battery of correct horses')).status, 204)
      assert.equal((await started.login({ username: 'bob', password })).status, 400)
      const next = { username: 'bob', password: 'a battery of correct horses' }
      assert.equal((await started.login(next)).status, 200)
    })
  })
}
