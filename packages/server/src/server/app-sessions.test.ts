import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { byApp } from '../features/operations/audit/by.ts'
import type { NewSession } from '../features/tokens/sessions/new-session.ts'
import type { SessionEnds } from '../features/tokens/sessions/session-ends.ts'
import type { StartedSession } from '../features/tokens/sessions/sessions.ts'
import type { Directory } from '../features/users/directory/directory.ts'
import { createAppSessions } from './app-sessions.ts'

const started = {
  accessToken: 'an access token',
  refreshToken: 'a refresh token',
  expiresInSeconds: 600,
  scopes: ['items:read'],
} as unknown as StartedSession
/** What `start()` returns if the rights of the user have changed since they were read. */
const rightsChanged = undefined

describe('keystile.sessions', () => {
  /** Creates it for one user, "ada". `answers` are the results of the next calls of `start()`. */
  function create(answers: (StartedSession | undefined)[] = [started]) {
    const starts: NewSession[] = []
    const ended: unknown[] = []
    const directory: Partial<Directory<string>> = {
      findActive: async (subject) => (subject === 'ada' ? subject : undefined),
      scopes: () => ['items:read', 'items:write'],
      rights: () => undefined,
    }
    const ends: SessionEnds = {
      list: async () => [],
      end: async (...args) => ended.push(args) > 0,
      endAll: async (...args) => void ended.push(args),
    }
    const sessions = createAppSessions({
      directory: directory as Directory<string>,
      starter: {
        async start(origin) {
          starts.push(origin)
          return answers.shift()
        },
      },
      ends,
      scopes: { declared: { 'items:read': '', 'items:write': '' }, defaults: [], roles: {} },
      login: { needsSecondStep: async () => false },
    })
    return { sessions, starts, ended, ends }
  }

  it('sessions.create returns the tokens of a session with the requested scopes', async () => {
    const { sessions, starts } = create()
    assert.deepEqual(await sessions.create({ subject: 'ada', scopes: ['items:read'] }), {
      accessToken: 'an access token',
      tokenType: 'bearer',
      expiresIn: 600,
      refreshToken: 'a refresh token',
      scopes: ['items:read'],
    })
    assert.deepEqual(starts, [
      {
        subject: 'ada',
        clientId: 'first-party',
        scopes: ['items:read'],
        rights: undefined,
        refreshes: true,
        by: byApp,
      },
    ])
  })

  it('sessions.create tries twice to start a session if the user’s rights change', async () => {
    const { sessions, starts } = create([rightsChanged, started])
    assert.equal((await sessions.create({ subject: 'ada' })).refreshToken, 'a refresh token')
    assert.deepEqual(
      starts.map(({ scopes }) => scopes),
      [
        ['items:read', 'items:write'],
        ['items:read', 'items:write'],
      ],
    )
    await assert.rejects(
      create([rightsChanged, rightsChanged]).sessions.create({ subject: 'ada' }),
      {
        code: 'not_found',
      },
    )
  })

  it('sessions.create throws if the user does not exist or a scope is undeclared', async () => {
    const { sessions, starts } = create()
    await assert.rejects(sessions.create({ subject: 'bob' }), { code: 'not_found' })
    for (const scope of ['items:delete', 'toString'])
      await assert.rejects(sessions.create({ subject: 'ada', scopes: ['items:read', scope] }), {
        name: 'TypeError',
        message: `each scope must be declared; "${scope}" is not`,
      })
    assert.deepEqual(starts, [])
  })

  it('sessions.revoke and revokeAll end sessions on behalf of the app', async () => {
    const { sessions, ended, ends } = create()
    assert.equal(await sessions.revoke('s1'), undefined)
    await sessions.revokeAll('ada')
    assert.deepEqual(ended, [
      ['s1', byApp],
      ['ada', { by: byApp }],
    ])
    assert.equal(sessions.list, ends.list)
  })
})
