// keystile/client against the real server: registration, new passwords, addresses, invitations.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ClientError, createClient, type ApiClient, type ClientOptions } from 'keystile/client'
import * as z from 'zod'
import { describeOnOne, issuer, password } from '../../packages/server/test-support/keystile.ts'
import {
  nextPassword,
  readMail,
  startMails,
  type ReadMail,
  type TestMails,
} from '../../packages/server/test-support/mail-flows.ts'

const ada = { username: 'ada', email: 'ada@example.com', password }

describeOnOne('SQLite', 'keystile/client and accounts', (stage) => {
  let server: TestMails
  /** The bodies of the requests, by path. */
  let sent: Map<string, { readonly headers: Headers; readonly body: string }>

  async function start(options: object = {}): Promise<ApiClient> {
    server = await startMails(stage, options)
    sent = new Map()
    return connect()
  }

  const connect = (options: Partial<ClientOptions> = {}): ApiClient =>
    createClient({
      issuer,
      clock: { now: server.clock.now, elapsed: server.clock.now },
      async fetch(input, init) {
        const request = new Request(input, init)
        const { headers, url } = request
        sent.set(url.slice(issuer.length), { headers, body: await request.clone().text() })
        return server.keystile.fetch(request, { remoteAddress: '192.0.2.1' })
      },
      ...options,
    })

  /** Returns the newest mail to an address. */
  async function mailTo(address: string): Promise<ReadMail> {
    await server.settled()
    return readMail(server.mails.findLast(({ to }) => to === address))
  }

  const isVerified = async (): Promise<unknown> =>
    (await server.keystile.users?.find({ login: 'ada' }))?.emailVerified

  /** What a refused call is expected to throw. */
  const refusal =
    (code: string, fields: object = {}) =>
    (error: unknown): boolean => {
      assert.ok(error instanceof ClientError)
      assert.deepEqual({ code: error.code, fields: error.fields }, { code, fields })
      return true
    }

  it('client.register creates an account with its profile, and does not sign in', async () => {
    const client = await start({ mail: undefined, profile: z.object({ team: z.string() }) })
    const registered = await client.register({ ...ada, team: 'north' })
    assert.deepEqual(registered, { isPending: false, requestId: undefined })
    assert.equal(await client.isSignedIn(), false)

    await client.login(ada)
    const me = (await (await client.fetch(`${issuer}/users/me`)).json()) as { team: string }
    assert.equal(me.team, 'north')
  })

  it('client.register says which value is refused or taken', async () => {
    const client = await start({ mail: undefined, profile: z.object({ team: z.string() }) })
    await assert.rejects(client.register({ ...ada, username: '!', team: 'north' }), (error) => {
      assert.ok(error instanceof ClientError)
      assert.deepEqual([error.code, error.status], ['unprocessable_content', 422])
      assert.match(error.fields['username'] ?? '', /^Username should have 2 to 63/)
      assert.doesNotMatch(JSON.stringify(error), /engine/)
      return true
    })
    await assert.rejects(
      client.register(ada),
      refusal('unprocessable_content', {
        team: 'Invalid input: expected string, received undefined',
      }),
    )
    await client.register({ ...ada, team: 'north' })
    await assert.rejects(
      client.register({ ...ada, email: 'other@example.com', team: 'north' }),
      refusal('conflict', { username: 'This username is already taken' }),
    )
    await assert.rejects(
      client.register({ ...ada, username: 'other', team: 'north' }),
      refusal('conflict', { email: 'This email is already taken' }),
    )
  })

  it('client.register reports a closed registration', async () => {
    const client = await start({ mail: undefined, registration: 'closed' })
    await assert.rejects(client.register(ada), refusal('forbidden'))
  })

  it('client.finishRegistration accepts either a code, or a link and the password', async () => {
    const client = await start({ emailVerification: 'required' })
    const registered = await client.register(ada)
    assert.ok(registered.isPending)
    const { registrationId } = registered
    const { code } = await mailTo(ada.email)
    await assert.rejects(client.login(ada), { code: 'invalid_grant' })
    await assert.rejects(
      client.finishRegistration({ registrationId, code: '0000 0000' }),
      refusal('forbidden'),
    )
    await client.finishRegistration({ registrationId, code })
    await client.login(ada)
    assert.equal(await isVerified(), true)

    const bob = { username: 'bob', email: 'bob@example.com', password }
    await client.register({ ...bob, username: 'ada' })
    const { token } = await mailTo(bob.email)
    await assert.rejects(
      client.finishRegistration({ token, password: 'wrong' }),
      refusal('forbidden', { password: 'The password is wrong' }),
    )
    await assert.rejects(
      client.finishRegistration({ token, password }),
      refusal('conflict', { username: 'This username is already taken' }),
    )
    await client.finishRegistration({ token, password, username: 'bob' })
    await client.login(bob)
  })

  it('client.resetPassword sets a new password with a mailed link or a mailed code', async () => {
    const client = await start()
    await server.addUser(ada)
    await client.requestPasswordReset({ login: 'ada' })
    const { token } = await mailTo(ada.email)
    await assert.rejects(client.resetPassword({ token, password: 'short' }), (error) => {
      assert.ok(error instanceof ClientError)
      assert.equal(error.code, 'unprocessable_content')
      assert.match(error.fields['password'] ?? '', /at least/)
      return true
    })
    await client.resetPassword({ token, password: nextPassword })
    await assert.rejects(client.login(ada), { code: 'invalid_grant' })

    const { requestId } = await client.requestPasswordReset({ login: ada.email })
    const { code } = await mailTo(ada.email)
    await client.resetPassword({ requestId, code, password })
    await client.login(ada)
    await assert.rejects(
      client.resetPassword({ requestId, code, password: nextPassword }),
      refusal('forbidden'),
    )
  })

  it('client.requestPasswordReset sends the device secret of the client’s last login', async () => {
    const client = await start({ rateLimits: 'on', trustedProxies: [] })
    await server.addUser(ada)
    const bodyOf = (): unknown => JSON.parse(sent.get('/password-resets')?.body ?? '')
    await client.requestPasswordReset({ login: 'ada' })
    assert.deepEqual(bodyOf(), { login: 'ada' })
    await client.login(ada)
    await client.logout()
    await client.requestPasswordReset({ login: 'ada' })
    const { device_secret } = bodyOf() as { readonly device_secret?: string }
    assert.match(device_secret ?? '', /^[\w.-]{20,}$/)
  })

  it('client.verifyEmail needs a user who is signed in, or the user’s password', async () => {
    const client = await start({ emailVerification: 'optional' })
    const registered = await client.register(ada)
    assert.ok(!registered.isPending && registered.requestId !== undefined)
    const { requestId } = registered
    const { code } = await mailTo(ada.email)
    await assert.rejects(client.requestEmailVerification(), refusal('not_signed_in'))
    await assert.rejects(
      client.verifyEmail({ requestId, code, password: 'wrong' }),
      refusal('forbidden', { password: 'The password is wrong' }),
    )
    await client.verifyEmail({ requestId, code, password })
    assert.equal(await isVerified(), true)

    await client.login(ada)
    await assert.rejects(client.requestEmailVerification(), refusal('conflict'))
  })

  it('client.verifyEmail verifies the address of the user who is signed in', async () => {
    const client = await start({ emailVerification: 'optional' })
    await server.addUser(ada)
    await mailTo(ada.email)
    await client.login(ada)
    const { requestId } = await client.requestEmailVerification()
    server.clock.advance(600) // the access token expires, so the client refreshes it
    const { code } = await mailTo(ada.email)
    await client.verifyEmail({ requestId, code })
    assert.equal(await isVerified(), true)
  })

  it('client.verifyEmail with a password does not use the session of another user', async () => {
    const client = await start({ emailVerification: 'optional' })
    await client.register(ada)
    const { token } = await mailTo(ada.email)
    await server.addUser({ username: 'bob', email: 'bob@example.com' })
    await client.login({ username: 'bob', password })
    await client.verifyEmail({ token, password })
    assert.equal(await isVerified(), true)
    assert.equal(sent.get('/email-verifications/confirm')?.headers.get('authorization'), null)
  })

  it('client.changeEmail, confirmEmailChange and undoEmailChange change the address', async () => {
    const client = await start({ emailVerification: 'optional' })
    await server.keystile.users?.create({ ...ada, emailVerified: true })
    const email = 'ada@new.example'
    await assert.rejects(client.changeEmail({ email, password }), refusal('not_signed_in'))
    await client.login(ada)
    await assert.rejects(
      client.changeEmail({ email, password: 'wrong' }),
      refusal('forbidden', { password: 'The current password is wrong' }),
    )
    await assert.rejects(client.changeEmail({ email: 'no address', password }), (error) => {
      assert.ok(error instanceof ClientError)
      assert.deepEqual(Object.keys(error.fields), ['email'])
      return true
    })

    const { requestId } = await client.changeEmail({ email, password })
    assert.ok(requestId !== undefined)
    const { code } = await mailTo(email)
    await client.confirmEmailChange({ requestId, code })
    assert.equal((await server.keystile.users?.find({ login: 'ada' }))?.email, email)

    const { token } = await mailTo(ada.email)
    await client.undoEmailChange({ token })
    assert.equal((await server.keystile.users?.find({ login: 'ada' }))?.email, ada.email)
    await assert.rejects(client.undoEmailChange({ token }), refusal('forbidden'))
  })

  it('client.changeEmail returns no requestId if the change needs no confirmation', async () => {
    const client = await start({ mail: undefined })
    await server.addUser(ada)
    await server.addUser({ username: 'bob', email: 'bob@example.com' })
    await client.login(ada)
    await assert.rejects(
      client.changeEmail({ email: 'bob@example.com', password }),
      refusal('conflict', { email: 'This email is already taken' }),
    )
    assert.deepEqual(await client.changeEmail({ email: 'ada@new.example', password }), {})
    assert.equal((await server.keystile.users?.find({ login: 'ada' }))?.email, 'ada@new.example')
  })

  it('client.acceptInvitation creates an account with the given profile', async () => {
    const profile = z.object({ team: z.string() })
    const client = await start({ registration: 'closed', profile })
    await server.keystile.users?.invite({ email: ada.email })
    const { token } = await mailTo(ada.email)
    const { email: _, ...chosen } = ada
    await assert.rejects(client.acceptInvitation({ token, ...chosen }), {
      code: 'unprocessable_content',
    })
    await client.acceptInvitation({ token, ...chosen, team: 'north' })
    await client.login(ada)
    assert.equal(await isVerified(), true)
  })

  it('client.requestEmailVerification sends a token to an issuer outside `resources`', async () => {
    await start({ emailVerification: 'optional' })
    await server.addUser(ada)
    const client = connect({ resources: ['https://api.example'] })
    await client.login(ada)
    assert.ok((await client.requestEmailVerification()).requestId)
    assert.match(sent.get('/email-verifications')?.headers.get('authorization') ?? '', /^Bearer /)
  })

  it('client.requestPasswordReset reports not_found if the server has no mail', async () => {
    const client = await start({ mail: undefined })
    const call = client.requestPasswordReset({ login: 'ada' })
    await assert.rejects(call, refusal('not_found'))
  })

  it('client.requestPasswordReset reports a rate limit as an error with a wait time', async () => {
    const client = await start({ rateLimits: 'on', trustedProxies: [] })
    await assert.rejects(
      async () => {
        for (let count = 0; count < 100; count++)
          await client.requestPasswordReset({ login: 'ada' })
      },
      (error) => {
        assert.ok(error instanceof ClientError && error.retryAfterSeconds !== undefined)
        assert.deepEqual([error.code, error.status], ['temporarily_unavailable', 429])
        return error.retryAfterSeconds > 0
      },
    )
  })
})
