// Tests users in a table of the app itself. The rules that are the same for Keystile's accounts are
// tested in login.test.ts, me.test.ts and account.test.ts.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { silentLogger, type Logger } from 'keystile/internal'
import { until } from '../../../../../../tools/until.ts'
import { describeOnBoth, issuer, key, password } from '../../../../test-support/keystile.ts'
import type { Person } from '../../../../test-support/people.ts'
import { checkOptions } from '../../../server/options.ts'
import { wire } from '../../../server/wire/wire.ts'
import { checkedDirectory } from './checked-directory.ts'

const attacks = new URL('../../../../../../test/vectors/', import.meta.url)
const naughtyStrings: readonly string[] = JSON.parse(
  readFileSync(new URL('blns.json', attacks), 'utf8'),
)
const loginBypasses = readFileSync(new URL('sqli-auth-bypass-seclists.txt', attacks), 'utf8').split(
  '\n',
)

const noScopes = { declared: {}, defaults: [], roles: {} }
const scopes = { 'items:read': 'Read items', 'items:write': 'Change items' }

interface Logged {
  readonly err?: Error
  readonly incident?: string
  readonly [name: string]: unknown
}

/**
 * Collects the log without the warnings of a start. For example, a start warns that the temporary
 * PostgreSQL does not wait for the disk.
 */
function createLog(): { readonly logged: Logged[]; readonly logger: Logger } {
  const logged: Logged[] = []
  const log = (fields: object): void => {
    if (!('rule' in fields)) logged.push({ ...fields })
  }
  return { logged, logger: { debug() {}, info: log, warn: log, error: log } }
}

describeOnBoth(
  'a directory of the app’s own',
  (stage) => {
    it('with an app’s own users, only the endpoints for sessions and factors exist below /users', async () => {
      const { send, accessToken } = await stage.start()
      const bearer = await accessToken()
      const id = (await stage.people.sql('select * from people'))[0]!.id
      const gone = [
        ['GET', '/users'],
        ['POST', '/users'],
        ['GET', '/users/me'],
        ['PATCH', '/users/me'],
        ['DELETE', '/users/me'],
        ['POST', '/users/me/password'],
        ['GET', `/users/${id}`],
        ['PATCH', `/users/${id}`],
        ['DELETE', `/users/${id}`],
      ] as const
      for (const [method, path] of gone) {
        const { status, text } = await send(method, path, { bearer })
        assert.deepEqual([status, text], [404, ''], `${method} ${path}`)
      }
      const { keystile, document } = await wire(
        checkOptions({ issuer, key, database: ':memory:', users: stage.people.directory }),
      )
      await keystile.close()
      assert.deepEqual(Object.keys(document['paths'] as object), [
        '/auth/token',
        '/auth/authorize-challenge',
        '/auth/revoke',
        '/auth/introspect',
        '/auth/users/me/sessions',
        '/auth/users/me/sessions/{id}',
        '/auth/.well-known/jwks.json',
        '/.well-known/oauth-authorization-server/auth',
        '/auth/.well-known/oauth-authorization-server',
        '/auth/revocations',
        '/auth/users/me/factors',
        '/auth/users/me/factors/totp',
        '/auth/users/me/factors/totp/confirm',
        '/auth/users/me/factors/recovery-codes',
      ])
    })

    it('each guarded request reads the app’s directory, so a banned user gets 401', async () => {
      const { accessToken, open } = await stage.start()
      const bearer = await accessToken()
      const me = async (): Promise<readonly unknown[]> => {
        const { status, json } = await open([], { bearer })
        return [status, json['user']?.email]
      }
      assert.deepEqual(await me(), [200, 'ada@example.com'])
      await stage.people.sql("update people set email = 'new@example.com'")
      assert.deepEqual(await me(), [200, 'new@example.com'])
      await stage.people.sql('update people set banned = 1')
      assert.deepEqual(await me(), [401, undefined])
      await stage.people.sql('update people set banned = 0')
      assert.deepEqual(await me(), [200, 'new@example.com'])
      await stage.people.sql('delete from people')
      assert.deepEqual(await me(), [401, undefined])
    })

    it('with cached: true, all processes cache a user until userChanged() is called', async () => {
      await stage.start() // creates the table
      const users = { ...stage.people.directory, cached: true }
      const options = { users } as object
      const [here, there] = [await stage.start(options), await stage.start(options)]
      const bearer = await here.accessToken()
      const [{ id } = { id: '' }] = await stage.people.sql('select * from people')
      const me = async ({ open }: typeof here): Promise<readonly unknown[]> => {
        const { status, json } = await open([], { bearer })
        return [status, json['user']?.email]
      }
      const both = async (): Promise<unknown> => [await me(here), await me(there)]
      const known = [200, 'ada@example.com']
      assert.deepEqual(await both(), [known, known])

      await stage.people.sql("update people set email = 'new@example.com'")
      assert.deepEqual(await both(), [known, known])
      await here.keystile.userChanged(id)
      assert.deepEqual(await me(here), [200, 'new@example.com'])
      await until(async () => String(await me(there)) === String([200, 'new@example.com']))

      await stage.people.sql('update people set banned = 1')
      await there.keystile.userChanged(id)
      assert.deepEqual(await me(there), [401, undefined])
      await until(async () => String(await me(here)) === String([401, undefined]))
      await stage.people.sql('update people set banned = 0')
      assert.deepEqual(await both(), [
        [200, 'new@example.com'],
        [200, 'new@example.com'],
      ])
    })

    it('with cached: true, requests still call active() and see a new password hash', async () => {
      await stage.start()
      let isBanned = false
      const active = (): boolean => {
        if (isBanned) throw new Error('a bug of the app')
        return true
      }
      const users = { ...stage.people.directory, cached: true, active }
      const { keystile, tokens, open } = await stage.start({ users } as object)
      const { accessToken: bearer, subject } = await tokens()
      const directory = checkedDirectory<Person>(users, {
        rules: noScopes,
        logger: silentLogger,
        userChanged: keystile.userChanged,
      })
      const hashOf = async (): Promise<unknown> => (await open([], { bearer })).json['user'].hash
      const person = (await directory.findActive(subject))!
      assert.equal(await hashOf(), person.hash)
      await directory.savePasswordHash!(person, 'first')
      assert.equal(await hashOf(), 'first')
      await directory.setPassword!(person, 'second', { replaces: 'first' })
      assert.equal(await hashOf(), 'second')

      isBanned = true
      assert.equal((await open([], { bearer })).status, 500)
    })

    it('userChanged() rejects an object, and ignores a subject that no user can have', async () => {
      const { keystile } = await stage.start()
      await keystile.userChanged('\0')
      await assert.rejects(keystile.userChanged({ id: 'ada' } as never), {
        name: 'TypeError',
        message: /must get a string, the subject of a user; it got an object/,
      })
    })

    it('the app’s directory grants scopes, and undeclared scopes are logged once', async () => {
      const { logged, logger } = createLog()
      const { login } = await stage.start({ scopes, defaultScopes: ['items:read'], logger })
      await stage.people.add({ password, scopes: 'items:write root admin' })
      await stage.people.add({ password, username: 'bob' })
      for (let i = 0; i < 2; i++)
        assert.equal((await login()).json['scope'], 'items:read items:write')
      assert.equal((await login({ scope: 'items:write users:write' })).json['scope'], 'items:write')
      assert.equal((await login({ scope: 'root' })).json['error'], 'invalid_scope')
      assert.equal((await login({ username: 'bob' })).json['scope'], 'items:read')
      assert.deepEqual(logged, [{ scope: 'root' }, { scope: 'admin' }])
    })

    it('a user without a password gets the same refusal as an unknown name', async () => {
      const { login, keystile } = await stage.start()
      const subject = await stage.people.add({ hash: null })
      const unknown = await login({ username: 'nobody' })
      for (const tried of [password, 'null', 'undefined']) {
        const { status, text } = await login({ password: tried })
        assert.deepEqual([status, text], [unknown.status, unknown.text])
      }
      assert.equal((await keystile.sessions.create({ subject })).tokenType, 'bearer')
    })

    it('SQL injections and unstorable strings find no user in the app’s directory', async () => {
      const { logged, logger } = createLog()
      const { addUser, login } = await stage.start({ logger })
      await addUser()
      const directory = checkedDirectory(stage.people.directory, { rules: noScopes, logger })
      for (const text of [...loginBypasses, ...naughtyStrings])
        assert.equal(await directory.findByLogin(text), undefined, text)
      for (const username of [
        'a\0b',
        'ada\n',
        'ada@example.com\t',
        "' or 1=1 --",
        'x'.repeat(30_000),
      ]) {
        const { status, json } = await login({ username })
        assert.deepEqual([status, json['error']], [400, 'invalid_grant'], username)
      }
      assert.deepEqual(logged, [])
      assert.equal((await login()).status, 200)
    })

    it('a login returns 500 and logs the error if the app’s directory throws', async () => {
      const { logged, logger } = createLog()
      const { accessToken, login, open, keystile } = await stage.start({ logger })
      const bearer = await accessToken()
      const identity = await keystile.verifier.verify(bearer)
      await stage.people.sql('alter table people rename to others')
      const { status, json, text } = await login()
      assert.deepEqual([status, json['error']], [500, 'server_error'])
      const [, incident] = /incident ([\w-]{22})$/.exec(json['detail'])!
      assert.doesNotMatch(text, /people|select|table|relation/i)
      assert.equal(logged.length, 1)
      assert.equal(logged[0]!.incident, incident)
      assert.match(logged[0]!.err!.message, /people/)
      assert.equal((await open([], { bearer })).status, 500)
      await assert.rejects(keystile.user(identity), /people/)
      await assert.rejects(keystile.sessions.create({ subject: identity.subject }), /people/)
      await stage.people.sql('alter table others rename to people')
      assert.equal((await login()).status, 200)
      assert.equal((await open([], { bearer })).status, 200)
    })

    it('a request gets 500 if the app’s directory returns the wrong user', async () => {
      const started = await stage.start()
      const bearer = await started.accessToken()
      const bob = await stage.people.add({ username: 'bob', password })
      const confused = {
        ...stage.people.directory,
        findBySubject: async () =>
          (await stage.people.sql('select * from people where id = $1', bob))[0],
      }
      const { open, keystile } = await stage.start({ users: confused } as object)
      assert.equal((await open([], { bearer })).status, 500)
      const identity = await keystile.verifier.verify(bearer)
      await assert.rejects(keystile.user(identity), /the user with the requested subject/)
      await assert.rejects(
        keystile.sessions.create({ subject: identity.subject }),
        /the user with the requested subject/,
      )
    })

    it('savePasswordHash does not overwrite a hash that another process just stored', async () => {
      const started = await stage.start()
      const subject = await started.addUser()
      const { directory, sql } = stage.people
      const old = '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'
      const changed = await started.readHash(subject)
      await started.writeHash(subject, old)
      const { login } = await stage.start({
        users: {
          ...directory,
          async savePasswordHash(person: never, hash: string) {
            await sql('update people set hash = $1', changed)
            await directory.savePasswordHash!(person, hash)
          },
        },
      } as object)
      assert.equal((await login()).status, 200)
      assert.equal(await started.readHash(subject), changed)
    })

    it('an app with its own users stores nothing in Keystile’s table of users', async () => {
      const { accessToken } = await stage.start()
      await accessToken()
      const [{ users, sessions } = {}] = await stage.sql(
        'select (select count(*) from "user") as users, (select count(*) from session) as sessions',
      )
      assert.deepEqual([Number(users), Number(sessions)], [0, 1])
    })
  },
  ['people'],
)
