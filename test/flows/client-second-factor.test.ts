// keystile/client against the real server: a login of a user who has an authenticator app.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { inspect } from 'node:util'
import { ClientError, createClient, type ApiClient, type Credentials } from 'keystile/client'
import {
  createTestClock,
  describeOnOne,
  issuer,
  password,
} from '../../packages/server/test-support/keystile.ts'
import { enrol, type Enrolled } from '../../packages/server/test-support/second-factor.ts'

describeOnOne('SQLite', 'keystile/client and second factors', (stage) => {
  for (const storage of ['memory', 'cookie'] as const) {
    async function start(): Promise<{ readonly client: ApiClient; readonly ada: Enrolled }> {
      const clock = createTestClock()
      const server = await stage.start({ clock, secondFactor: 'optional', cookieSession: true })
      let cookies: readonly string[] = []
      const client = createClient({
        issuer,
        clock: { now: clock.now, elapsed: clock.now },
        ...(storage === 'cookie' && { storage }),
        async fetch(input, init) {
          const request = new Request(input, init)
          request.headers.set('origin', new URL(issuer).origin)
          request.headers.set('cookie', cookies.join('; '))
          const answer = await server.keystile.fetch(request)
          const set = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
          if (set.length > 0) cookies = set
          return answer
        },
      })
      return { client, ada: await enrol(server, clock) }
    }
    const person = { username: 'ada', password }
    const refusalOf = async (client: ApiClient, login: Credentials): Promise<ClientError> => {
      const error = await client.login(login).catch((reason: unknown) => reason)
      assert.ok(error instanceof ClientError, String(error))
      return error
    }
    const isAda = async (client: ApiClient): Promise<void> => {
      assert.equal(await client.isSignedIn(), true)
      const me = (await (await client.fetch(`${issuer}/users/me`)).json()) as { username: string }
      assert.equal(me.username, 'ada')
      await client.logout()
      assert.equal(await client.isSignedIn(), false)
    }

    it(`with ${storage} storage, client.login asks for a code and continues with it`, async () => {
      const { client, ada } = await start()
      const error = await refusalOf(client, person)
      const { code, status, methods, authSession = '' } = error
      assert.deepEqual([code, status], ['second_factor_required', 403])
      assert.deepEqual(methods, ['otp', 'recovery_code'])
      assert.ok(authSession.length > 20)
      assert.ok(!`${inspect(error)}${JSON.stringify(error)}`.includes(authSession))
      assert.equal(await client.isSignedIn(), false)

      const wrong = await refusalOf(client, { authSession, otp: '000000' })
      assert.deepEqual([wrong.code, wrong.authSession], ['invalid_grant', authSession])
      await client.login({ authSession, otp: ada.nextCode() })
      await isAda(client)

      assert.equal(
        (await refusalOf(client, { authSession, otp: ada.nextCode() })).code,
        'invalid_session',
      )
    })

    it(`with ${storage} storage, client.login continues with a recovery code`, async () => {
      const { client, ada } = await start()
      const { authSession = '' } = await refusalOf(client, person)
      const [recoveryCode = ''] = ada.recoveryCodes
      await client.login({ authSession, recoveryCode })
      await isAda(client)
    })

    it(`with ${storage} storage, client.login sends the password and a code at once`, async () => {
      const { client, ada } = await start()
      await client.login({ ...person, otp: ada.nextCode() })
      await isAda(client)
      await client.login({ ...person, recoveryCode: ada.recoveryCodes[0] ?? '' })
      await isAda(client)

      const wrongCode = await refusalOf(client, { ...person, otp: '000000' })
      assert.equal(wrongCode.code, 'invalid_grant')
      await client.login({ authSession: wrongCode.authSession ?? '', otp: ada.nextCode() })
      await isAda(client)

      const wrongPassword = { ...person, password: 'wrong', otp: ada.nextCode() }
      const { code, authSession, methods } = await refusalOf(client, wrongPassword)
      assert.deepEqual([code, authSession, methods], ['invalid_grant', undefined, []])
    })
  }
})
