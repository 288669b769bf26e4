// Logins in steps against a server that answers as the test says. The tests against the real server
// are in test/flows/client-second-factor.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ada, stageClient } from '../../test-support/client-stage.ts'
import type { Asked } from '../../test-support/token-server.ts'
import { ClientError } from './client-error.ts'
import type { LoginResult, NextStep } from './next-step.ts'

describe('a login in steps', () => {
  const stage = stageClient()
  const { start, settle, stored, answerTokens } = stage

  const tokenOf = (claims: object): string =>
    `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
  const tokens = (sid: string, sub = 'ada', more: object = {}): object => ({
    access_token: tokenOf({ sid, sub }),
    refresh_token: `refresh of ${sid}`,
    expires_in: 600,
    ...more,
  })
  const more = (members: object): object => ({ error: 'insufficient_authorization', ...members })
  const otpNeeded = more({ methods: ['otp'] })

  /** Answers the requests to a login endpoint one after the other. Returns what was sent. */
  function answer(
    answers: readonly (readonly [status: number, json: object])[],
    path = '/auth/token',
  ): readonly Readonly<Record<string, unknown>>[] {
    const left = [...answers]
    const sent: Readonly<Record<string, unknown>>[] = []
    stage.server.instead = ({ route, body }: Asked, response) => {
      if (route !== `POST ${path}`) return false
      sent.push(
        path === '/auth/token' ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body),
      )
      const [status, json] = left.shift() ?? [500, {}]
      return Boolean(response.writeHead(status).end(JSON.stringify(json)))
    }
    return sent
  }
  async function refusalOf(login: Promise<LoginResult>): Promise<ClientError> {
    const error = await login.catch((reason: unknown) => reason)
    assert.ok(error instanceof ClientError, String(error))
    return error
  }
  function proving(next: NextStep | undefined): Extract<NextStep, { step: 'proveFactor' }> {
    assert.ok(next?.step === 'proveFactor')
    return next
  }

  it('client.login keeps names of methods that it does not know', async () => {
    answer([[403, more({ auth_session: 's', methods: ['passkey', 'otp', 7] })]])
    assert.deepEqual(proving((await stage.client.login(ada)).next).methods, ['passkey', 'otp'])
    answer([[403, more({ auth_session: 's', methods: [], enrol: ['passkey', null] })]])
    const { next } = await stage.client.login(ada)
    assert.ok(next?.step === 'setUpFactor')
    assert.deepEqual([next.factors, next.needsEmailCode], [['passkey'], false])
  })

  for (const [title, status, json] of [
    ['without auth_session', 403, otpNeeded],
    ['without methods', 403, more({ auth_session: 's' })],
    ['with the status 500', 500, more({ auth_session: 's', methods: ['otp'] })],
  ] as const)
    it(`client.login rejects an answer ${title}, with which no login can go on`, async () => {
      answer([[status, json]])
      assert.equal((await refusalOf(stage.client.login(ada))).code, 'temporarily_unavailable')
      assert.equal(await stage.client.isSignedIn(), false)
    })

  it('a step sends auth_session and its proof, and an outage keeps the step', async () => {
    const sent = answer([
      [403, more({ auth_session: 's', methods: ['otp'] })],
      [503, {}],
      [429, { error: 'temporarily_unavailable', error_description: 'Too many tries' }],
      [200, tokens('one')],
    ])
    const step = proving((await stage.client.login(ada)).next)
    for (const status of [503, 429]) {
      const error = await refusalOf(step.proveFactor({ otp: '123456' }))
      assert.deepEqual([error.code, error.status], ['temporarily_unavailable', status])
      assert.equal(error.next, step)
    }
    assert.deepEqual(await step.proveFactor({ recoveryCode: '7k2m' }), { signedIn: true })
    const grant = { grant_type: 'password', auth_session: 's' }
    assert.deepEqual(sent.slice(1), [
      { ...grant, otp: '123456' },
      { ...grant, otp: '123456' },
      { ...grant, recovery_code: '7k2m' },
    ])
  })

  it('an enrolment sends enrol and the code of the mail, and ends with recovery codes', async () => {
    const shown = { secret: 'JBSW', uri: 'otpauth://totp/', qr_svg: '<svg/>' }
    const sent = answer([
      [403, more({ auth_session: 's', methods: [], enrol: ['totp'], email_code: true })],
      [403, more({ auth_session: 's', methods: ['otp'], enrol: ['totp'], ...shown })],
      [200, tokens('one', 'ada', { recovery_codes: ['a', 'b'] })],
    ])
    const { next } = await stage.client.login(ada)
    assert.ok(next?.step === 'setUpFactor')
    const { next: app } = await next.setUpApp({ emailCode: '4820 1937' })
    assert.ok(app?.step === 'confirmApp')
    assert.deepEqual([app.secret, app.uri, app.qrSvg], Object.values(shown))
    const done = await app.confirmApp({ otp: '123456' })
    assert.deepEqual(done, { signedIn: true, recoveryCodes: ['a', 'b'] })
    assert.deepEqual(
      [sent[1]?.['enrol'], sent[1]?.['email_code'], sent[2]?.['otp']],
      ['totp', '4820 1937', '123456'],
    )
    assert.ok(!JSON.stringify(stored()).includes('recovery'))
  })

  it('a step-up sends the demand and the access token, and with a cookie only the demand', async () => {
    const first = tokenOf({ sid: 'one', sub: 'ada' })
    const ways = [
      [{ acr: ['phr', 'mfa'] }, { acr_values: 'phr mfa' }],
      [{ maxAgeSeconds: 0 }, { max_age: 0 }],
      [{}, { acr_values: 'pwd' }],
    ] as const
    for (const [demand, fields] of ways) {
      const sent = answer([
        [200, tokens('one')],
        [403, otpNeeded],
      ])
      await stage.client.login(ada)
      assert.equal((await stage.client.stepUp(demand)).signedIn, false)
      const texts = Object.entries(fields).map(([name, value]) => [name, String(value)])
      const form = { grant_type: 'password', ...Object.fromEntries(texts), access_token: first }
      assert.deepEqual(sent[1], form)

      const tab = start({ storage: 'cookie' })
      const inJson = answer(
        [
          [200, tokens('one')],
          [403, otpNeeded],
        ],
        '/auth/session',
      )
      await tab.login(ada)
      await tab.stepUp(demand)
      assert.deepEqual(inJson[1], fields)
      tab.close()
    }
  })

  it('a step-up keeps the ids of the last ten sessions that it has replaced', async () => {
    const ids = Array.from({ length: 13 }, (_, n) => `sid ${n}`)
    answer(ids.map((id) => [200, tokens(id)]))
    await stage.client.login(ada)
    for (const id of ids.slice(1)) {
      assert.deepEqual(await stage.client.stepUp({}), { signedIn: true })
      assert.equal((stored() as unknown as { id: string }).id, id)
    }
    const { replaced } = stored() as unknown as { replaced: readonly string[] }
    assert.deepEqual(replaced, ids.slice(2, 12))
    await settle()
    assert.equal(stage.signOuts, 0)
  })

  it('after a refresh, a session still continues the one before its step-up', async () => {
    const other = start()
    let signOuts = 0
    other.onSignOut(() => signOuts++)
    answer([
      [200, tokens('one')],
      [200, tokens('two')],
      [200, tokens('two')],
    ])
    await stage.client.login(ada)
    await other.isSignedIn()
    await stage.client.stepUp({})
    stage.clock.advance(600)
    await stage.client.accessToken()
    assert.equal(await other.isSignedIn(), true)
    await settle()
    assert.equal(signOuts, 0)
  })

  it('if the cookie was Bob’s, Ada’s step-up signs her out and repeats no request', async () => {
    const tab = start({ storage: 'cookie' })
    let signOuts = 0
    tab.onSignOut(() => signOuts++)
    answer([[200, tokens('one')]], '/auth/session')
    await tab.login(ada)
    answer([[200, tokens('two', 'bob')]], '/auth/session')
    await tab.stepUp({ acr: ['mfa'] })
    await settle()
    assert.equal(signOuts, 1)
    tab.close()
  })

  it('a step-up does not go on if Bob has logged in since', async () => {
    answer([
      [200, tokens('one')],
      [403, more({ auth_session: 's', methods: ['otp'] })],
      [200, tokens('two', 'bob')],
    ])
    await stage.client.login(ada)
    const step = proving((await stage.client.stepUp({})).next)
    await stage.client.login({ ...ada, username: 'bob' })
    stage.server.forget()
    const error = await refusalOf(step.proveFactor({ otp: '123456' }))
    assert.deepEqual([error.code, error.next], ['invalid_session', undefined])
    assert.equal(stage.server.asked.length, 0)
  })

  it('a logout during a step-up ends the session that the step-up has started', async () => {
    await stage.client.login(ada)
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    stage.server.instead = async ({ route }, response) => {
      if (route !== 'POST /auth/token') return false
      arrived.resolve()
      await released.promise
      return Boolean(response.end(JSON.stringify(tokens('two'))))
    }
    const stepping = refusalOf(stage.client.stepUp({}))
    await arrived.promise
    await stage.client.logout()
    released.resolve()
    assert.equal((await stepping).code, 'invalid_session')
    assert.equal(stored(), undefined)
    const ended = stage.server.askedFor('POST /auth/revoke')
    assert.equal(ended.at(-1)?.body, 'token=refresh+of+two')
  })

  it('while the issuer does not answer, a step-up rejects and the user stays signed in', async () => {
    await stage.client.login(ada)
    answerTokens(503, '{}')
    assert.equal((await refusalOf(stage.client.stepUp({}))).code, 'temporarily_unavailable')
    assert.equal(await stage.client.isSignedIn(), true)
  })
})
