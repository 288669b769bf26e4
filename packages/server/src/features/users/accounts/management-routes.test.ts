import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readWebRequest, silentLogger, systemClock } from 'keystile/internal'
import { jsonAnswer } from '../../../http/answers.ts'
import type { GuardedRoute } from '../../../http/route.ts'
import { ofUser } from '../../../server/commands.ts'
import type { Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator as by } from '../../operations/audit/by.ts'
import { openEventFeed, type EventFeed } from '../../tokens/events/events.ts'
import { parseUsername } from '../directory/names.ts'
import { managementRoutes, type ManagementCaller } from './management-routes.ts'
import type { User } from './user.ts'
import { createUsers, type Users } from './users.ts'

const rules = {
  declared: { a: 'A', 'users:write': 'Change all users' },
  defaults: [],
  roles: { admin: ['a', 'users:write'] },
}

describe('managementRoutes', () => {
  let database: Database
  let feed: EventFeed
  let users: Users
  let made: User[]
  /** The last user, an administrator. */
  let caller: ManagementCaller
  before(async () => {
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    feed = await openEventFeed(database, { clock: systemClock, logger: silentLogger })
    users = createUsers(database, feed, systemClock, { ofUser })
    made = []
    for (let i = 0; i < 51; i++) {
      const created = await users.create(
        {
          username: parseUsername(`${String(i).padStart(3, '0')}-user`)!,
          email: undefined,
          passwordHash: 'x',
          scopes: [],
          roles: i === 50 ? ['admin'] : [],
          profile: {},
        },
        by,
      )
      assert.ok('user' in created)
      made.push(created.user)
    }
    const subject = made[50]!.publicUser.id
    caller = { identity: { subject, clientId: 'c', scopes: ['a', 'users:write'] } }
  })
  after(async () => {
    await feed.close()
    await database.close()
  })

  const ask = async (
    method: string,
    path: string,
    query = '',
    body?: object,
  ): Promise<ReturnType<typeof jsonAnswer>> => {
    const route = managementRoutes({ users, scopes: rules, profile: undefined }).find(
      (candidate): candidate is GuardedRoute<ManagementCaller> =>
        candidate.guard !== undefined && candidate.method === method && candidate.path === path,
    )
    const request = new Request(`https://auth.example/x${query}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return await route!.handle(
      { ...readWebRequest(request), params: { id: made[0]!.publicUser.id } },
      caller,
    )
  }
  const list = async (query: string): Promise<readonly [number, string | null]> => {
    const { users, next } = JSON.parse((await ask('GET', '/users', query)).body!) as {
      users: readonly object[]
      next: string | null
    }
    return [users.length, next]
  }

  it('GET /users lists 50 users; if more exist, `next` is the last listed username', async () => {
    assert.deepEqual(await list(''), [50, '049-user'])
    assert.deepEqual(await list('?after=049-user'), [1, null])
  })

  it('GET /users returns no `next` on the last page', async () => {
    assert.deepEqual(await list('?limit=51'), [51, null])
    assert.deepEqual(await list('?limit=1&after=049-user'), [1, null])
  })

  it('GET /users accepts a limit from 1 to 200', async () => {
    assert.deepEqual(await list('?limit=1'), [1, '000-user'])
    assert.deepEqual(await list('?limit=200'), [51, null])
    const msg = 'Input should be a whole number from 1 to 200'
    for (const limit of ['0', '201', '-1', '1x', 'x1'])
      await assert.rejects(list(`?limit=${limit}`), {
        code: 'unprocessable_content',
        message: `limit: ${msg}`,
        errors: [{ loc: ['query', 'limit'], msg, type: 'value_error' }],
      })
    await assert.rejects(list('?after=x!'), {
      errors: [
        { loc: ['query', 'after'], msg: 'Input should be a user name', type: 'value_error' },
      ],
    })
  })

  it('PATCH /users/{id} documents the names of the declared scopes and roles', () => {
    const routes = managementRoutes({ users, scopes: rules, profile: undefined })
    const { doc } = routes.find(({ method }) => method === 'PATCH')!
    const listOf = (...names: readonly string[]): object => ({
      type: 'array',
      items: { type: 'string', enum: names },
    })
    assert.deepEqual(doc.body?.schema, {
      type: 'object',
      properties: {
        scopes: listOf('a', 'users:write'),
        roles: listOf('admin'),
        disabled: { type: 'boolean' },
      },
      additionalProperties: false,
      minProperties: 1,
    })
  })

  /**
   * Sends a request about a user. As soon as the request has read the user `raced`, another request
   * changes that user.
   */
  async function race(
    raced: string,
    method: 'PATCH' | 'DELETE',
    id: string,
    change: { readonly scopes: string[] } | { readonly roles: string[] },
  ): Promise<void> {
    const find = users.readBySubject
    const readBySubject: Users['readBySubject'] = async (subject) => {
      const user = await find(subject)
      if (user && subject === raced) await users.change(user, change, by)
      return user
    }
    const parts = { users: { ...users, readBySubject }, scopes: rules, profile: undefined }
    const route = managementRoutes(parts).find(
      (candidate): candidate is GuardedRoute<ManagementCaller> =>
        candidate.guard !== undefined && candidate.method === method,
    )
    const request = new Request('https://auth.example/x', {
      method,
      ...(method === 'PATCH' && {
        body: '{"disabled":true}',
        headers: { 'content-type': 'application/json' },
      }),
    })
    await assert.rejects(
      async () => route!.handle({ ...readWebRequest(request), params: { id } }, caller),
      { code: 'conflict' },
    )
    assert.equal((await find(id))?.active, true)
  }

  it('PATCH /users/{id} returns 409 if another request changes the user meanwhile', async () => {
    const { id } = made[1]!.publicUser
    await race(id, 'PATCH', id, { scopes: ['a'] })
  })

  for (const method of ['PATCH', 'DELETE'] as const) {
    it(`${method} /users/{id} returns 409 if the caller is demoted meanwhile`, async () => {
      const { subject } = caller.identity
      await users.change((await users.readBySubject(subject))!, { roles: ['admin'] }, by)
      // Another administrator, because the last one cannot be demoted.
      await users.change(
        (await users.readBySubject(made[49]!.publicUser.id))!,
        { roles: ['admin'] },
        by,
      )
      await race(subject, method, made[2]!.publicUser.id, { roles: [] })
    })
  }
})
