// The rules of `keystile.users` that the endpoints do not have.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import {
  describeOnBoth,
  password,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const roles = { reader: ['items:read'] }
const ada = { username: 'Ada', email: 'ada@Example.com', password }

type AppUsers = NonNullable<TestKeystile['keystile']['users']>

async function startUsers(
  stage: Stage,
  options: Parameters<Stage['start']>[0] = {},
): Promise<TestKeystile & { readonly appUsers: AppUsers }> {
  const started = await stage.start(options)
  const { users } = started.keystile
  assert.ok(users)
  return { ...started, appUsers: users }
}

describeOnBoth('keystile.users', (stage) => {
  it('keystile.users.create can give rights, even if registration is closed', async () => {
    const { appUsers, login } = await startUsers(stage, {
      scopes,
      roles,
      registration: 'closed',
      rateLimits: 'on',
    })
    const created = await appUsers.create({ ...ada, scopes: ['items:write'], roles: ['reader'] })
    assert.deepEqual(created, {
      id: created.id,
      username: 'Ada',
      email: 'ada@example.com',
      emailVerified: false,
      createdAt: created.createdAt,
      scopes: ['items:write'],
      roles: ['reader'],
      disabled: false,
    })
    assert.ok(created.createdAt instanceof Date)
    assert.equal((await login()).json['scope'], 'items:read items:write')
  })

  it('keystile.users.create needs no e-mail address', async () => {
    const { appUsers } = await startUsers(stage)
    assert.equal((await appUsers.create({ username: 'ada', password })).email, null)
    assert.equal((await appUsers.create({ username: 'bob', email: null, password })).email, null)
  })

  it('keystile.users.create refuses undeclared rights and malformed Unicode', async () => {
    const { appUsers } = await startUsers(stage, { scopes, roles })
    for (const fields of [
      { scopes: ['items:delete'] },
      { roles: ['god'] },
      { password: `${password}\ud800` },
    ])
      await assert.rejects(appUsers.create({ ...ada, ...fields }), {
        code: 'unprocessable_content',
        status: 422,
      })
    assert.equal(await appUsers.find({ login: 'ada' }), undefined)
  })

  it('keystile.users.find finds a user only by id, name or e-mail address', async () => {
    const { appUsers } = await startUsers(stage)
    const { id } = await appUsers.create(ada)
    for (const by of [{ id }, { login: 'aDA' }, { login: 'ADA@example.COM' }])
      assert.equal((await appUsers.find(by))?.id, id)
    for (const by of [{ id: 'x' }, { id: '\0' }, { id: 'ada' }, { login: id }, { login: '\0' }])
      assert.equal(await appUsers.find(by), undefined)
  })

  it('keystile.users.list returns pages sorted by name, and checks its options', async () => {
    const { appUsers } = await startUsers(stage)
    for (const username of ['carol', 'Ada', 'bob']) await appUsers.create({ username, password })
    const first = await appUsers.list({ limit: 2 })
    assert.deepEqual(
      [first.users.map(({ username }) => username), first.next],
      [['Ada', 'bob'], 'bob'],
    )
    const second = await appUsers.list({ after: 'bob' })
    assert.deepEqual([second.users.map(({ username }) => username), second.next], [['carol'], null])
    for (const page of [{ limit: 0 }, { limit: 201 }, { limit: 1.5 }, { after: '%' }])
      await assert.rejects(appUsers.list(page), { status: 422 }, JSON.stringify(page))
  })

  it('keystile.users.setPassword ends all sessions of the user', async () => {
    const { appUsers, open, tokens } = await startUsers(stage)
    const [one, two] = [await tokens(), await tokens()]
    await appUsers.setPassword(one.subject, 'a battery of correct horses')
    for (const { accessToken } of [one, two])
      assert.equal((await open([], { bearer: accessToken })).status, 401)
  })

  it('keystile.users.grant changes rights, and ends sessions only with endsSessions', async () => {
    const { appUsers, open, tokens, login } = await startUsers(stage, { scopes, roles })
    const { subject: id, accessToken: bearer } = await tokens()
    await stage.sql(`update "user" set scopes = '["old:scope"]' where id = '${id}'`)
    await appUsers.grant(id, { scopes: ['items:write'], roles: ['reader', 'reader'] })
    const { scopes: held, roles: own } = await appUsers.grant(id, { removeScopes: ['old:scope'] })
    assert.deepEqual([held, own], [['items:write'], ['reader']])
    assert.equal((await open([], { bearer })).status, 200)

    await appUsers.grant(id, { removeRoles: ['reader'], endsSessions: true })
    assert.equal((await open([], { bearer })).status, 401)
    assert.equal((await login()).json['scope'], 'items:write')
  })

  it('keystile.users.create and update ignore values that are undefined', async () => {
    const { appUsers } = await startUsers(stage, {
      profile: z.strictObject({ city: z.string().optional() }),
    })
    const { id } = await appUsers.create({ ...ada, city: 'London', scopes: undefined })
    assert.equal((await appUsers.update(id, { city: undefined }))['city'], 'London')
  })

  it('the audit record names the app as the actor of each change by keystile.users', async () => {
    const { appUsers } = await startUsers(stage, { scopes, profile: z.looseObject({}) })
    const { id } = await appUsers.create({ ...ada, scopes: ['items:write'] })
    await appUsers.update(id, { city: 'London' })
    await appUsers.grant(id, { scopes: ['items:read'] })
    await appUsers.disable(id)
    await appUsers.enable(id)
    await appUsers.setPassword(id, 'a battery of correct horses')
    await appUsers.delete(id)
    const rows = await stage.sql('select event, actor, subject, detail from audit order by id')
    assert.equal(rows[0]?.['detail'], '{"given":["items:write"]}')
    assert.deepEqual(
      rows.map((row) => [row['event'], row['actor'], row['subject']]),
      [
        'user_created',
        'profile_changed',
        'grants_changed',
        'user_disabled',
        'user_enabled',
        'password_changed',
        'user_deleted',
      ].map((event) => [event, 'app', id]),
    )
  })
})

describeOnBoth(
  'an app with its own users',
  (stage) => {
    it('keystile.users does not exist if the app has its own users', async () => {
      assert.equal((await stage.start()).keystile.users, undefined)
    })
  },
  ['people'],
)
