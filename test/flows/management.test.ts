import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import {
  describeOnBoth,
  type Answer,
  type Stage,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { isWaiting } from '../../packages/server/test-support/postgres.ts'

const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }
const roles = { reader: ['items:read'], writer: ['items:read', 'items:write'] }

/** Keystile with an administrator and a user who is nobody in particular. */
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

describeOnBoth('GET /users', (stage) => {
  it('lists users by name, a page at a time, to who holds users:read', async () => {
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

  it('begins after a name that nobody has, and answers 422 to a forged cursor and a wrong limit', async () => {
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

describeOnBoth('GET /users/{id}', (stage) => {
  it('answers one user, and 404 to an id that nobody has', async () => {
    const { admin, bob, send, idOf } = await startWithUsers(stage)
    const id = await idOf('bob')
    const { status, json } = await send('GET', `/users/${id}`, { bearer: admin })
    assert.deepEqual([status, json['id'], json['disabled']], [200, id, false])
    for (const other of ['x', id.toUpperCase(), `${id}x`])
      assert.equal((await send('GET', `/users/${other}`, { bearer: admin })).status, 404, other)
    assert.equal(
      (await send('GET', `/users/${id}`, { bearer: bob })).status,
      403,
      'not even his own',
    )
  })
})

describeOnBoth('PATCH /users/{id}', (stage) => {
  it('gives scopes and roles, which hold from the next login', async () => {
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
      'his token stays good',
    )
    await send('PATCH', path, { bearer: admin, json: { scopes: [] } })
    assert.equal(
      (await login({ username: 'bob' })).json['scope'],
      'items:read',
      'what is left out stays',
    )
  })

  it('lets nobody give a scope that their own token lacks, by a scope or by a role', async () => {
    const { admin, send, idOf, login } = await startWithUsers(stage)
    const bobPath = `/users/${await idOf('bob')}`
    await send('PATCH', bobPath, { bearer: admin, json: { scopes: ['users:write', 'items:read'] } })
    const bearer = (await login({ username: 'bob' })).json['access_token']
    for (const json of [
      { scopes: ['users:write', 'items:write'] },
      { roles: ['writer'] },
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
      (await send('PATCH', bobPath, { bearer, json: { roles: ['reader'] } })).status,
      200,
    )
    const narrow = (await login({ username: 'root', scope: 'users:write' })).json['access_token']
    assert.equal(
      (await send('PATCH', bobPath, { bearer: narrow, json: { roles: ['writer'] } })).status,
      403,
      'the token counts, not its owner',
    )
  })

  it('answers 422 to scopes and roles that are not declared, and to what is no list', async () => {
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
  })

  it('keeps a last administrator, who can be neither disabled nor demoted nor deleted', async () => {
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

  it('leaves an administrator, however many try at once to be none', async () => {
    const { admin, send, idOf, login } = await startWithUsers(stage)
    const [rootPath, bobPath] = [`/users/${await idOf('root')}`, `/users/${await idOf('bob')}`]
    await send('PATCH', bobPath, { bearer: admin, json: { roles: ['admin'] } })
    const second = (await login({ username: 'bob' })).json['access_token']
    const answers = await Promise.all([
      send('PATCH', bobPath, { bearer: admin, json: { roles: [] } }),
      send('PATCH', rootPath, { bearer: second, json: { roles: [] } }),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409],
    )
  })
})

/**
 * What a manager may do to users who hold more: `users:read` and `users:write` are given as scopes,
 * without a role.
 */
describeOnBoth('a manager who is no administrator', (stage) => {
  const management = ['users:read', 'users:write']

  interface Managed extends Awaited<ReturnType<typeof startWithUsers>> {
    /** Asks for a change of a user as the manager bob. */
    change(name: string, json: object): Promise<Answer>
    /** The same as the administrator root. */
    administer(name: string, json: object): Promise<Answer>
  }

  async function startWithManager(
    options: { readonly withoutScopes?: boolean } = {},
  ): Promise<Managed> {
    const started = await startWithUsers(stage, options.withoutScopes ? {} : { scopes, roles })
    const { admin, send, idOf, login, accessToken } = started
    for (const name of ['eve', 'carol']) await accessToken(name)
    const pathOf = async (name: string): Promise<string> => `/users/${await idOf(name)}`
    const administer: Managed['administer'] = async (name, json) =>
      send('PATCH', await pathOf(name), { bearer: admin, json })
    assert.equal((await administer('bob', { scopes: management })).status, 200)
    const bearer = (await login({ username: 'bob' })).json['access_token']
    const change: Managed['change'] = async (name, json) =>
      send('PATCH', await pathOf(name), { bearer, json })
    return { ...started, change, administer }
  }

  it('enables nobody who holds a scope that the manager lacks, and whoever does not', async () => {
    const { change, administer } = await startWithManager()
    await administer('eve', { roles: ['admin'] })
    await administer('carol', { scopes: ['items:read'] })
    for (const name of ['eve', 'carol']) {
      assert.equal((await change(name, { disabled: true })).status, 200, 'disabling takes away')
      const refused = await change(name, { disabled: false })
      assert.equal(refused.status, 403)
      assert.match(
        refused.json['detail'],
        /^The caller must hold every scope that the user would hold/,
      )
    }
    assert.equal(
      (await change('carol', { scopes: [], disabled: false })).status,
      200,
      'without the scope',
    )
  })

  it('gives nothing to a user who holds more, and may take all of it away', async () => {
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

  it('makes no administrator, of anybody, where admin holds no scope that a manager lacks', async () => {
    const { change, administer } = await startWithManager({ withoutScopes: true })
    for (const name of ['bob', 'eve'])
      assert.equal((await change(name, { roles: ['admin'] })).status, 403)
    assert.equal((await change('eve', { scopes: management })).status, 200)
    assert.equal((await administer('eve', { roles: ['admin'] })).status, 200)
    await change('eve', { disabled: true })
    assert.equal((await change('eve', { disabled: false })).status, 403)
  })

  it('gives what is stored of its rights now, whatever its token says', async () => {
    const { admin, change, administer, send, idOf } = await startWithManager()
    await administer('bob', { scopes: ['users:write'] })
    assert.equal((await change('eve', { scopes: ['users:read'] })).status, 403)
    await administer('eve', { roles: ['admin'] })
    await stage.sql(`update "user" set roles = '[]' where username_key = 'root'`)
    const path = `/users/${await idOf('carol')}`
    for (const json of [{ roles: ['admin'] }, { scopes: ['items:read'] }])
      assert.equal((await send('PATCH', path, { bearer: admin, json })).status, 403)
  })

  it('is asked again where its rights are taken away while it gives them', async () => {
    if (stage.kind === 'SQLite') return // where one writes at a time; users.test.ts has the comparison
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

  it('enables nobody by a change that was decided before they were disabled', async () => {
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

  it('deletes an administrator, but not the last', async () => {
    const { administer, send, idOf, login } = await startWithManager()
    await administer('eve', { roles: ['admin'] })
    const bearer = (await login({ username: 'bob' })).json['access_token']
    const remove = async (name: string): Promise<Answer> =>
      send('DELETE', `/users/${await idOf(name)}`, { bearer })
    assert.deepEqual([(await remove('eve')).status, (await remove('root')).status], [204, 409])
  })
})

describeOnBoth('DELETE /users/{id}', (stage) => {
  it('deletes a user for who holds users:write, and answers 404 from then on', async () => {
    const { admin, bob, send, idOf } = await startWithUsers(stage)
    const path = `/users/${await idOf('bob')}`
    assert.equal((await send('DELETE', path, { bearer: bob })).status, 403)
    assert.equal((await send('DELETE', path, { bearer: admin })).status, 204)
    assert.equal((await send('GET', '/users/me', { bearer: bob })).status, 401)
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      assert.equal(
        (await send(method, path, { bearer: admin, ...(method === 'PATCH' && { json: {} }) }))
          .status,
        404,
        method,
      )
    }
    assert.equal((await send('GET', '/users', { bearer: admin })).json['users'].length, 1)
  })
})
