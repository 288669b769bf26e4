import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import {
  createTestClock,
  describeOnOne,
  type Answer,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { isWaiting } from '../../packages/server/test-support/postgres.ts'
import { enrol, tokensWithFactor } from '../../packages/server/test-support/second-factor.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const roles = { reader: ['items:read'], writer: ['items:read', 'items:write'] }

/** Starts Keystile with an administrator and an ordinary user. */
async function startWithUsers(
  stage: Stage,
  options: Parameters<Stage['start']>[0] = { scopes, roles },
): Promise<TestKeystile & { admin: string; bob: string; idOf(name: string): Promise<string> }> {
  const started = await stage.start(options)
  await started.accessToken('root')
  await stage.sql(`update "user" set roles = '["admin"]' where username_key = 'root'`)
  const admin = (await started.login({ username: 'root' })).json['access_token'] as string
  const bob = await started.accessToken('bob')
  const idOf = async (name: string): Promise<string> => {
    const [row] = await stage.sql(`select id from "user" where username_key = '${name}'`)
    return row!['id'] as string
  }
  return { ...started, admin, bob, idOf }
}

describeOnOne('PostgreSQL', 'GET /users', (stage) => {
  it('GET /users returns pages of users sorted by name, to callers with users:read', async () => {
    const { admin, bob, send, accessToken } = await startWithUsers(stage)
    await accessToken('Carol')
    const first = await send('GET', '/users?limit=2', { bearer: admin })
    assert.equal(first.status, 200)
    assert.deepEqual(
      first.json['users'].map(({ username }: { username: string }) => username),
      ['bob', 'Carol'],
    )
    assert.equal(first.json['next'], 'Carol')
    const second = await send('GET', `/users?limit=2&after=${first.json['next']}`, {
      bearer: admin,
    })
    assert.deepEqual(
      [
        second.json['users'].map(({ username }: { username: string }) => username),
        second.json['next'],
      ],
      [['root'], null],
    )
    assert.deepEqual(Object.keys(first.json['users'][0]).toSorted(), [
      'created_at',
      'disabled',
      'email',
      'email_verified',
      'id',
      'roles',
      'scopes',
      'username',
    ])
    const refused = await send('GET', '/users', { bearer: bob })
    assert.equal(refused.status, 403)
    assert.match(
      refused.headers.get('www-authenticate')!,
      /error="insufficient_scope".*scope="users:read"/,
    )
    assert.equal((await send('GET', '/users')).status, 401)
  })

  it('GET /users takes a name as cursor, and returns 422 for a wrong cursor or limit', async () => {
    const { admin, send } = await startWithUsers(stage)
    assert.equal(
      (await send('GET', '/users?after=carol', { bearer: admin })).json['users'].length,
      1,
    )
    for (const after of ["' or 1=1 --", '%', '_', '', '\u0000', 'é', 'x'.repeat(2_000), '../..']) {
      const { status } = await send('GET', `/users?after=${encodeURIComponent(after)}`, {
        bearer: admin,
      })
      assert.equal(status, 422, after)
    }
    for (const limit of ['0', '201', '-1', '1.5', 'x', '', '99999', '1e2']) {
      assert.equal(
        (await send('GET', `/users?limit=${limit}`, { bearer: admin })).status,
        422,
        limit,
      )
    }
  })
})

describeOnOne('PostgreSQL', 'GET /users/{id}', (stage) => {
  it('GET /users/{id} returns the user, or 404 if the id is unknown', async () => {
    const { admin, bob, send, idOf } = await startWithUsers(stage)
    const id = await idOf('bob')
    const { status, json } = await send('GET', `/users/${id}`, { bearer: admin })
    assert.deepEqual([status, json['id'], json['disabled']], [200, id, false])
    for (const other of ['x', id.toUpperCase(), `${id}x`])
      assert.equal((await send('GET', `/users/${other}`, { bearer: admin })).status, 404, other)
    assert.equal(
      (await send('GET', `/users/${id}`, { bearer: bob })).status,
      403,
      'not even the user’s own account',
    )
  })
})

describeOnOne('PostgreSQL', 'PATCH /users/{id}', (stage) => {
  it('PATCH /users/{id} changes scopes and roles, and the next login gets them', async () => {
    const { admin, bob, send, idOf, login } = await startWithUsers(stage)
    const path = `/users/${await idOf('bob')}`
    const { status, json } = await send('PATCH', path, {
      bearer: admin,
      json: { roles: ['reader'], scopes: ['items:write'] },
    })
    assert.deepEqual([status, json['roles'], json['scopes']], [200, ['reader'], ['items:write']])
    assert.equal((await login({ username: 'bob' })).json['scope'], 'items:read items:write')
    assert.equal(
      (await send('GET', '/users/me', { bearer: bob })).status,
      200,
      'the old token stays valid',
    )
    await send('PATCH', path, { bearer: admin, json: { scopes: [] } })
    assert.equal(
      (await login({ username: 'bob' })).json['scope'],
      'items:read',
      'roles that are left out stay',
    )
  })

  it('PATCH /users/{id} refuses to grant a scope that the caller’s token lacks', async () => {
    const { admin, send, idOf, login } = await startWithUsers(stage)
    const bobPath = `/users/${await idOf('bob')}`
    await send('PATCH', bobPath, { bearer: admin, json: { scopes: ['users:write', 'items:read'] } })
    const bearer = (await login({ username: 'bob' })).json['access_token']
    for (const json of [
      { scopes: ['users:write', 'items:write'] },
      { roles: ['writer'] },
      { roles: ['reader'] },
      { roles: ['admin'] },
      { scopes: ['users:read'] },
    ]) {
      assert.equal(
        (await send('PATCH', bobPath, { bearer, json })).status,
        403,
        JSON.stringify(json),
      )
    }
    assert.equal(
      (await send('PATCH', bobPath, { bearer, json: { scopes: ['users:write'] } })).status,
      200,
    )
    const narrow = (await login({ username: 'root', scope: 'users:write' })).json['access_token']
    assert.equal(
      (await send('PATCH', bobPath, { bearer: narrow, json: { roles: ['writer'] } })).status,
      403,
      'the scopes of the token count, not the scopes of its user',
    )
  })

  it('PATCH /users/{id} answers only id and rights to callers without users:read', async () => {
    const { admin, send, idOf, login } = await startWithUsers(stage)
    const id = await idOf('bob')
    const json = { scopes: ['items:read'] }
    const narrow = (await login({ username: 'root', scope: 'items:read users:write' })).json
    const blind = await send('PATCH', `/users/${id}`, { bearer: narrow['access_token'], json })
    assert.equal(blind.status, 200)
    assert.deepEqual(blind.json, { id, ...json, roles: [], disabled: false })
    const seeing = await send('PATCH', `/users/${id}`, { bearer: admin, json })
    assert.equal(seeing.json['email'], 'bob@example.com')
  })

  it('PATCH /users/{id} returns 422 for an empty change', async () => {
    const { admin, send, idOf } = await startWithUsers(stage)
    const answer = await send('PATCH', `/users/${await idOf('bob')}`, { bearer: admin, json: {} })
    assert.equal(answer.status, 422)
    const msg = 'Field required: at least one of scopes, roles and disabled'
    assert.deepEqual(answer.json['errors'], [{ loc: ['body'], msg, type: 'value_error' }])
  })

  it('PATCH /users/{id} returns 422 for undeclared scopes and roles', async () => {
    const { admin, send, idOf } = await startWithUsers(stage)
    const path = `/users/${await idOf('bob')}`
    for (const json of [
      { scopes: ['x'] },
      { roles: ['god'] },
      { scopes: 'items:read' },
      { roles: [1] },
      { disabled: 'yes' },
      { password: 'x' },
      { roles: ['constructor'] },
      { scopes: ['__proto__'] },
    ]) {
      assert.equal(
        (await send('PATCH', path, { bearer: admin, json })).status,
        422,
        JSON.stringify(json),
      )
    }
    const both = { scopes: ['x'], roles: ['god'] }
    const { json } = await send('PATCH', path, { bearer: admin, json: both })
    const msg = 'Input should only have names from this list:'
    assert.deepEqual(json['errors'], [
      {
        loc: ['body', 'scopes'],
        msg: `${msg} items:read, items:write, users:read, users:write`,
        type: 'value_error',
      },
      { loc: ['body', 'roles'], msg: `${msg} reader, writer, admin`, type: 'value_error' },
    ])
  })

  it('the last administrator cannot be disabled, demoted or deleted', async () => {
    const { admin, send, idOf } = await startWithUsers(stage)
    const path = `/users/${await idOf('root')}`
    for (const json of [{ disabled: true }, { roles: [] }, { roles: ['reader'] }]) {
      assert.equal(
        (await send('PATCH', path, { bearer: admin, json })).status,
        409,
        JSON.stringify(json),
      )
    }
    assert.equal((await send('DELETE', path, { bearer: admin })).status, 409)
    assert.equal((await send('DELETE', '/users/me', { bearer: admin })).status, 409)
    const bob = `/users/${await idOf('bob')}`
    assert.equal(
      (await send('PATCH', bob, { bearer: admin, json: { roles: ['admin'] } })).status,
      200,
    )
    assert.equal((await send('PATCH', path, { bearer: admin, json: { roles: [] } })).status, 200)
  })

  it('if two administrators demote each other at the same time, only one succeeds', async () => {
    const { admin, send, idOf, login } = await startWithUsers(stage)
    const [rootPath, bobPath] = [`/users/${await idOf('root')}`, `/users/${await idOf('bob')}`]
    await send('PATCH', bobPath, { bearer: admin, json: { roles: ['admin'] } })
    const second = (await login({ username: 'bob' })).json['access_token']
    const answers = await Promise.all([
      send('PATCH', bobPath, { bearer: admin, json: { roles: [] } }),
      send('PATCH', rootPath, { bearer: second, json: { roles: [] } }),
    ])
    const [faster, slower] = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.equal(faster, 200)
    // The slower request reads the lost rights, or has already read the rights before.
    assert.ok(slower === 403 || slower === 409)
  })
})

/**
 * Tests what a manager may change in users with more rights. A manager holds `users:read` and
 * `users:write` as scopes, without a role.
 */
describeOnOne('PostgreSQL', 'a manager without the role admin', (stage) => {
  const management = ['users:read', 'users:write']

  interface Managed extends Awaited<ReturnType<typeof startWithUsers>> {
    /** Changes a user as the manager bob. */
    change(name: string, json: object): Promise<Answer>
    /** The token of the manager bob. */
    readonly manager: string
    /** Changes a user as the administrator root. */
    administer(name: string, json: object): Promise<Answer>
  }

  async function startWithManager(
    options: {
      readonly scopes?: Readonly<Record<string, string>>
      readonly roles?: Readonly<Record<string, readonly string[]>>
    } = {},
  ): Promise<Managed> {
    const started = await startWithUsers(stage, { scopes, roles, ...options })
    const { admin, send, idOf, login, accessToken } = started
    for (const name of ['eve', 'carol']) await accessToken(name)
    const pathOf = async (name: string): Promise<string> => `/users/${await idOf(name)}`
    const administer: Managed['administer'] = async (name, json) =>
      send('PATCH', await pathOf(name), { bearer: admin, json })
    assert.equal((await administer('bob', { scopes: management })).status, 200)
    const manager = (await login({ username: 'bob' })).json['access_token'] as string
    const change: Managed['change'] = async (name, json) =>
      send('PATCH', await pathOf(name), { bearer: manager, json })
    return { ...started, manager, change, administer }
  }

  it('a manager cannot enable a user who has a scope that the manager lacks', async () => {
    const { change, administer } = await startWithManager()
    await administer('eve', { roles: ['admin'] })
    await administer('carol', { scopes: ['items:read'] })
    for (const name of ['eve', 'carol']) {
      assert.equal((await change(name, { disabled: true })).status, 200, 'managers may disable')
      const refused = await change(name, { disabled: false })
      assert.equal(refused.status, 403)
      assert.match(
        refused.json['detail'],
        /^After the change, the user must hold only scopes and roles that the caller holds/,
      )
    }
    assert.equal(
      (await change('carol', { scopes: [], disabled: false })).status,
      200,
      'the user no longer holds the scope',
    )
  })

  it('changing a disabled user’s scopes does not enable the user', async () => {
    const { administer } = await startWithManager()
    await administer('carol', { disabled: true })
    const { status, json } = await administer('carol', { scopes: ['items:read'] })
    assert.deepEqual([status, json['scopes'], json['disabled']], [200, ['items:read'], true])
  })

  it('a manager can remove rights from a user with more rights, but not add any', async () => {
    const { change, administer } = await startWithManager()
    await administer('eve', { roles: ['admin'] })
    assert.equal((await change('eve', { scopes: ['users:read'] })).status, 403)
    assert.equal((await change('eve', { roles: [], scopes: ['users:read'] })).status, 200)
    assert.equal(
      (await change('root', { roles: [] })).status,
      409,
      'the last administrator stays one',
    )
  })

  it('a manager cannot give a role that only others have, even without any scope', async () => {
    const { change, administer, idOf, send, login } = await startWithManager({
      roles: { ...roles, billing: [] },
    })
    const withRoles = { roles: ['reader'], scopes: [...management, 'items:read'] }
    assert.equal((await administer('bob', withRoles)).status, 200)
    const bearer = (await login({ username: 'bob' })).json['access_token']
    const path = `/users/${await idOf('eve')}`
    const give = async (json: object): Promise<number> =>
      (await send('PATCH', path, { bearer, json })).status
    assert.equal((await change('bob', { roles: ['reader', 'billing'] })).status, 403)
    assert.equal(await give({ roles: ['billing'] }), 403)
    assert.equal(await give({ roles: ['reader'] }), 200)
    await administer('eve', { roles: ['billing'], disabled: true })
    assert.equal(await give({ disabled: false }), 403)
    assert.equal((await administer('eve', { disabled: false })).status, 200)
    assert.equal(await give({ roles: [] }), 200)
  })

  it('a manager who holds all scopes of the role admin cannot give this role', async () => {
    const { change, administer } = await startWithManager({ scopes: {}, roles: {} })
    for (const name of ['bob', 'eve'])
      assert.equal((await change(name, { roles: ['admin'] })).status, 403)
    assert.equal((await change('eve', { scopes: management })).status, 200)
    assert.equal((await administer('eve', { roles: ['admin'] })).status, 200)
    await change('eve', { disabled: true })
    assert.equal((await change('eve', { disabled: false })).status, 403)
  })

  it('to give a right, a caller must have it in the database, not only in the token', async () => {
    const { admin, change, administer, send, idOf } = await startWithManager()
    await administer('bob', { scopes: ['users:write'] })
    assert.equal((await change('eve', { scopes: ['users:read'] })).status, 403)
    await administer('eve', { roles: ['admin'] })
    await stage.sql(`update "user" set roles = '[]' where username_key = 'root'`)
    const path = `/users/${await idOf('carol')}`
    for (const json of [{ roles: ['admin'] }, { scopes: ['items:read'] }])
      assert.equal((await send('PATCH', path, { bearer: admin, json })).status, 403)
  })

  it('a demoted manager changes and deletes no user with an older token', async () => {
    const { change, administer, manager, send, idOf } = await startWithManager()
    await administer('eve', { scopes: ['items:read'] })
    await administer('bob', { scopes: ['users:read'] })
    const path = `/users/${await idOf('eve')}`
    const answers = [
      await change('eve', { scopes: [] }),
      await change('eve', { disabled: true }),
      await send('DELETE', path, { bearer: manager }),
    ]
    for (const { status, json } of answers)
      assert.deepEqual(
        [status, json['detail']],
        [403, 'The caller no longer has the scope users:write'],
      )
    const { json } = await send('GET', path, { bearer: manager })
    assert.deepEqual([json['scopes'], json['disabled']], [['items:read'], false])
  })

  it('giving a role returns 409 if the caller loses the rights at the same time', async () => {
    if (stage.kind === 'SQLite') return // SQLite has one writer; see users.test.ts
    const { administer, idOf } = await startWithManager()
    const eve = await idOf('eve')
    const client = new pg.Client({
      connectionString: stage.database,
      options: '-c search_path=keystile',
    })
    await client.connect()
    try {
      await client.query('begin')
      await client.query(`select * from setting where name = 'administration' for update`)
      const giving = administer('eve', { roles: ['admin'] })
      await isWaiting(stage.database)
      await client.query(`update "user" set roles = '[]' where username_key = 'root'`)
      await client.query('commit')
      assert.equal((await giving).status, 409)
    } finally {
      await client.end()
    }
    assert.deepEqual(await stage.sql(`select roles from "user" where id = '${eve}'`), [
      { roles: '[]' },
    ])
  })

  it('giving a user a scope returns 409 if the user is disabled at the same time', async () => {
    if (stage.kind === 'SQLite') return
    const { administer } = await startWithManager()
    const client = new pg.Client({
      connectionString: stage.database,
      options: '-c search_path=keystile',
    })
    await client.connect()
    try {
      await client.query('begin')
      await client.query(`select * from setting where name = 'administration' for update`)
      const giving = administer('eve', { scopes: ['items:read'] })
      await isWaiting(stage.database)
      await client.query(`update "user" set disabled_at = 1 where username_key = 'eve'`)
      await client.query('commit')
      assert.equal((await giving).status, 409)
    } finally {
      await client.end()
    }
  })

  it('a manager can delete an administrator, but not the last one', async () => {
    const { administer, send, idOf, login } = await startWithManager()
    await administer('eve', { roles: ['admin'] })
    const bearer = (await login({ username: 'bob' })).json['access_token']
    const remove = async (name: string): Promise<Answer> =>
      send('DELETE', `/users/${await idOf(name)}`, { bearer })
    assert.deepEqual([(await remove('eve')).status, (await remove('root')).status], [204, 409])
  })
})

describeOnOne('PostgreSQL', 'DELETE /users/{id}', (stage) => {
  it('DELETE /users/{id} deletes the user, and requires the scope users:write', async () => {
    const { admin, bob, send, idOf } = await startWithUsers(stage)
    const path = `/users/${await idOf('bob')}`
    assert.equal((await send('DELETE', path, { bearer: bob })).status, 403)
    assert.equal((await send('DELETE', path, { bearer: admin })).status, 204)
    assert.equal((await send('GET', '/users/me', { bearer: bob })).status, 401)
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      assert.equal(
        (
          await send(method, path, {
            bearer: admin,
            ...(method === 'PATCH' && { json: { disabled: false } }),
          })
        ).status,
        404,
        method,
      )
    }
    assert.equal((await send('GET', '/users', { bearer: admin })).json['users'].length, 1)
  })

  it('the own id at DELETE /users/{id} demands what DELETE /users/me demands', async () => {
    const clock = createTestClock()
    const running = await startWithUsers(stage, { scopes, roles, clock, secondFactor: 'optional' })
    await running.register()
    await stage.sql(`update "user" set roles = '["admin"]' where username_key = 'ada'`)
    const ada = await enrol(running, clock)
    const remove = (bearer: string, id = ada.subject): Promise<Answer> =>
      running.send('DELETE', `/users/${id}`, { bearer })

    const weak = await remove(ada.accessToken)
    assert.equal(weak.status, 401, 'the login lacks the factor')
    assert.match(weak.headers.get('www-authenticate') ?? '', /acr_values="mfa"/)

    const partner = await running.addClient({ grants: ['password'], scopes: ['users:write'] })
    const { status, json } = await running.login({ ...partner, otp: ada.nextCode() })
    assert.equal(status, 200)
    assert.equal((await remove(json['access_token'])).status, 403, 'a token of another client')

    const { accessToken } = await tokensWithFactor(ada)
    clock.advance(306)
    const old = await remove(accessToken)
    assert.equal(old.status, 401)
    assert.match(old.headers.get('www-authenticate') ?? '', /max_age="300"/)
    const others = await remove(accessToken, await running.idOf('bob'))
    assert.equal(others.status, 204, 'the login is recent enough for another user')

    const recent = await tokensWithFactor(ada)
    assert.equal((await remove(recent.accessToken)).status, 204)
  })
})
