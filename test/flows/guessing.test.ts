import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import {
  createTestClock,
  describeOnOne,
  password,
  type Answer,
  type SendOptions,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const limited = { rateLimits: 'on', trustedProxies: ['127.0.0.1'] } as const
const wrong = 'not the password of anybody'

/** Returns the options of a request from this address through the trusted proxy. */
const from = (address: string): SendOptions => ({
  remoteAddress: '127.0.0.1',
  headers: { 'x-forwarded-for': address },
})

const addressOf = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`

function guess(
  { send }: TestKeystile,
  {
    address = '192.0.2.1',
    ...fields
  }: { readonly address?: string } & Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return send('POST', '/token', {
    ...from(address),
    form: { username: 'ada', password: wrong, ...fields },
  })
}

async function repeat<T>(times: number, work: (n: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  for (let n = 0; n < times; n++) results.push(await work(n))
  return results
}

const repeated = (times: number, statuses: readonly number[]): readonly number[] =>
  Array.from({ length: times }, () => statuses).flat()

const countOf = (answers: readonly Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length

describeOnOne('SQLite', 'limits on guessing', (stage) => {
  it('a login name gets 429 after ten guesses, whether or not the user exists', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    const told = async (spellings: readonly string[]): Promise<unknown> => {
      const answers = await repeat(12, (n) =>
        guess(keystile, { username: spellings[n % spellings.length]!, address: addressOf(n) }),
      )
      return answers.map(({ status, text, headers }) => [status, text, headers.get('retry-after')])
    }
    const refused = [
      400,
      '{"error":"invalid_grant","error_description":"Incorrect username or password","detail":"Incorrect username or password"}',
      null,
    ]
    const wait = 'Too many tries: wait before you try again'
    const late = [
      429,
      `{"error":"temporarily_unavailable","error_description":"${wait}","detail":"${wait}"}`,
      String(36 * 60),
    ]
    const expected = [...Array.from({ length: 10 }, () => refused), late, late]
    assert.deepEqual(await told(['ada', 'ADA', ' a d\u0301a']), expected)
    assert.deepEqual(await told(['nobody', 'NOBODY', 'nobo\u200bdy']), expected)
    assert.deepEqual(
      await told(['ada@example.com', 'ADA@EXAMPLE.COM', 'ada@example\u3002com']),
      expected,
    )
    assert.equal((await guess(keystile, { password })).status, 429)
    // A guess that gets 429 is not verified, and has no line in the audit record.
    const [{ number } = {}] = await stage.sql(
      "select count(*) as number from audit where event = 'login_refused'",
    )
    assert.equal(Number(number), 30)
  })

  it('after ten wrong passwords, a login name gets one more try every 36 minutes', async () => {
    const clock = createTestClock()
    const keystile = await stage.start({ ...limited, clock })
    const statuses = async (): Promise<readonly number[]> =>
      (await repeat(2, () => guess(keystile, { password: wrong }))).map(({ status }) => status)
    await repeat(10, () => guess(keystile, { password: wrong }))
    clock.advance(36 * 60 - 1)
    assert.deepEqual(await statuses(), [429, 429])
    clock.advance(1)
    assert.deepEqual(await statuses(), [400, 429])
  })

  it('simultaneous guesses at two instances share one rate limit', async () => {
    const clock = createTestClock()
    const instances = [
      await stage.start({ ...limited, clock }),
      await stage.start({ ...limited, clock }),
    ]
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => guess(instances[n % 2]!, { address: addressOf(n) })),
    )
    assert.deepEqual([countOf(answers, 400), countOf(answers, 429)], [10, 90])
    // The guesses that got 429 did not count towards the limit.
    clock.advance(36 * 60)
    assert.equal((await guess(instances[0]!, { password: wrong })).status, 400)
  })

  it('logins with the right password do not count for the rate limit', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    assert.equal(countOf(await repeat(15, () => guess(keystile, { password })), 200), 15)
    assert.equal(countOf(await repeat(11, () => guess(keystile, { password: wrong })), 400), 10)
  })

  it('a login with a password over 1,024 bytes does not count for the rate limit', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    const rates = await stage.sql('select * from rate')
    assert.equal(
      countOf(await repeat(30, () => guess(keystile, { password: 'x'.repeat(1_025) })), 400),
      30,
    )
    assert.deepEqual(await stage.sql('select * from rate'), rates)
  })

  it('another user’s logins on a known device do not use up the device owner’s limit', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    await keystile.register({ username: 'bob', email: 'bob@example.com' })
    const { json } = await guess(keystile, { password })
    const fields = { password, device_secret: json['device_secret'] }
    assert.equal(
      countOf(await repeat(12, () => guess(keystile, { ...fields, username: 'bob' })), 200),
      12,
    )
    await repeat(10, () => guess(keystile))
    assert.equal((await guess(keystile, fields)).status, 200)
  })

  it('a user can request ten address changes in a row, and then one every 16 minutes', async () => {
    const clock = createTestClock()
    const keystile = await stage.start({ ...limited, clock })
    await keystile.register({ username: 'bob', email: 'bob@example.com' })
    await keystile.tokens()
    const change = async (new_email: string): Promise<number> => {
      // Each change comes from a new session.
      const bearer = (await keystile.login()).json['access_token'] as string
      const json = { current_password: password, new_email }
      return (
        await keystile.send('POST', '/users/me/email', { bearer, json, ...from('192.0.2.1') })
      ).status
    }
    const answers = await repeat(12, (n) =>
      change(n % 2 === 0 ? 'bob@example.com' : `ada${n}@example.com`),
    )
    assert.deepEqual(answers, [...repeated(5, [409, 204]), 429, 429])
    clock.advance(16 * 60)
    assert.deepEqual([await change('bob@example.com'), await change('new@example.com')], [409, 429])
  })

  it('after twenty wrong client secrets, an IP address gets 429 for wrong secrets', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    const client = await keystile.addClient()
    const ask = async (fields: Readonly<Record<string, string>>): Promise<number> => {
      const form = { grant_type: 'client_credentials', ...fields }
      return (await keystile.send('POST', '/token', { form, ...from('192.0.2.1') })).status
    }
    const unknown = { client_id: 'nobody', client_secret: 'x' }
    const known = { ...client, client_secret: 'x' }
    const answers = await repeat(22, (n) => ask(n % 2 === 0 ? unknown : known))
    assert.deepEqual(answers, [...repeated(20, [401]), 429, 429])
    const [{ number } = {}] = await stage.sql(
      "select count(*) as number from audit where event = 'client_refused'",
    )
    assert.equal(Number(number), 20)
    assert.equal(await ask(client), 200)
  })

  it('at most 20 refused uses of another client’s token are audited per IP address', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    const web = await keystile.addClient({ id: 'web', grants: ['password', 'refresh_token'] })
    const { refreshToken, accessToken } = await keystile.tokens()
    const ask = async (path: string, form: Readonly<Record<string, string>>): Promise<string> => {
      const { status, text } = await keystile.send('POST', path, { form, ...from('192.0.2.1') })
      return `${status} ${text}`
    }
    const refresh = (token: string): Promise<string> =>
      ask('/token', { grant_type: 'refresh_token', refresh_token: token, ...web })
    const unknown = await refresh(`${'x'.repeat(22)}.${'x'.repeat(43)}`)
    const revocation = await ask('/revoke', { token: refreshToken, ...web })
    assert.match(revocation, /^400 .*invalid_grant/)
    for (let n = 0; n < 15; n++) {
      assert.equal(await refresh(refreshToken), unknown)
      for (const token of [refreshToken, accessToken])
        assert.equal(await ask('/revoke', { token, ...web }), revocation)
    }
    const [{ number } = {}] = await stage.sql(
      "select count(*) as number from audit where event like '%e%_refused'",
    )
    assert.equal(Number(number), 20)
    // The token's owner refreshes, even from the address that was refused.
    const honest = { grant_type: 'refresh_token', refresh_token: refreshToken }
    assert.match(await ask('/token', honest), /^200 /)
  })

  it('a user can change the profile sixty times in a row, and then once per minute', async () => {
    const clock = createTestClock()
    const keystile = await stage.start({ ...limited, clock, profile: z.looseObject({}) })
    const bearer = await keystile.accessToken()
    const change = async (n: number): Promise<number> =>
      (await keystile.send('PATCH', '/users/me', { bearer, json: { n } })).status
    assert.deepEqual(await repeat(61, change), [...repeated(60, [200]), 429])
    clock.advance(60)
    assert.deepEqual([await change(61), await change(62)], [200, 429])
  })

  const addresses = isLong ? 10_000 : 200
  it(`a known device can log in while ${addresses} addresses attack two instances`, async () => {
    const instances = [await stage.start(limited), await stage.start(limited)] as const
    await instances[0].register()
    let secret = (await guess(instances[0], { password })).json['device_secret'] as string
    let guesses = 0
    let logins = 0
    for (let n = 0; n < addresses; n += 20) {
      const attacks = Array.from({ length: 20 }, (_, i) =>
        guess(instances[i % 2 === 0 ? 0 : 1], { address: addressOf(n + i) }),
      )
      const login = guess(instances[n % 40 === 0 ? 0 : 1], {
        password,
        device_secret: secret,
        address: addressOf(n),
      })
      guesses += countOf(await Promise.all(attacks), 400)
      const { status, json } = await login
      assert.equal(status, 200)
      secret = json['device_secret']
      logins++
    }
    assert.equal(logins, addresses / 20)
    assert.equal(guesses, 10)
  })

  it('a known device has its own limit of ten wrong passwords', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    const { json } = await guess(keystile, { password })
    const fields = { password: wrong, device_secret: json['device_secret'] }
    const answers = await repeat(22, () => guess(keystile, fields))
    assert.deepEqual([countOf(answers, 400), countOf(answers, 429)], [20, 2])
    assert.equal((await guess(keystile, { ...fields, password })).status, 429)
  })

  it('a device is known for 400 days, but only at logins to the same account', async () => {
    const clock = createTestClock()
    const keystile = await stage.start({ ...limited, clock })
    await keystile.register()
    await keystile.register({ username: 'bob', email: 'bob@example.com' })
    const device = async (username: string): Promise<Answer['json']> =>
      (await guess(keystile, { username, password })).json
    const [ada, bob] = [await device('ada'), await device('bob')]
    const atUnknown = await repeat(12, () =>
      guess(keystile, { username: 'nobody', device_secret: bob['device_secret'] }),
    )
    assert.deepEqual([countOf(atUnknown, 400), countOf(atUnknown, 429)], [10, 2])
    await repeat(10, () => guess(keystile, { password: wrong }))
    const loginWith = async (device_secret: string, fields = {}): Promise<number> =>
      (await guess(keystile, { password, device_secret, ...fields })).status
    for (const secret of [
      bob['device_secret'],
      `A${ada['device_secret']}`,
      'x',
      'x'.repeat(5_000),
      '',
    ])
      assert.equal(await loginWith(secret), 429)
    assert.equal(await loginWith(ada['device_secret']), 200)
    const later = createTestClock(clock.now() + 400 * 24 * 60 * 60 * 1000 - 1)
    const then = await stage.start({ ...limited, clock: later })
    const loginThen = (): Promise<Answer> =>
      guess(then, { password, device_secret: ada['device_secret'] })
    await repeat(10, () => guess(then, { password: wrong }))
    assert.equal((await loginThen()).status, 200)
    later.advance(0.001)
    assert.equal((await loginThen()).status, 429)
  })

  it('after a password change, only the device that made the change stays known', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    const [own, other] = [
      (await guess(keystile, { password })).json,
      (await guess(keystile, { password })).json,
    ]
    await repeat(10, () => guess(keystile, { password: wrong }))
    let current = password
    const change = async (
      { access_token: bearer }: Answer['json'],
      new_password: string,
    ): Promise<void> => {
      const json = { current_password: current, new_password }
      assert.equal(
        (await keystile.send('POST', '/users/me/password', { bearer, json })).status,
        204,
      )
      current = new_password
    }
    const loginOn = ({ device_secret }: Answer['json']): Promise<Answer> =>
      guess(keystile, { password: current, device_secret })
    await change(own, 'another password of hers')
    assert.deepEqual([(await loginOn(own)).status, (await loginOn(other)).status], [200, 429])
    await change(own, 'and still another of hers')
    const again = await loginOn(own)
    assert.deepEqual([again.status, (await loginOn(other)).status], [200, 429])
    await change(again.json, 'the last of so many')
    assert.deepEqual([(await loginOn(own)).status, (await loginOn(again.json)).status], [429, 200])
  })

  it('guesses with an old device secret do not use up the limit of the new secret', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    const old = (await guess(keystile, { password })).json['device_secret'] as string
    const device_secret = (await guess(keystile, { password, device_secret: old })).json[
      'device_secret'
    ] as string
    await repeat(10, () => guess(keystile, { password: wrong }))
    assert.equal(countOf(await repeat(12, () => guess(keystile, { device_secret: old })), 400), 10)
    assert.equal((await guess(keystile, { password, device_secret })).status, 200)
  })

  it('known devices stay known when a login renews the password hash', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    const [one, other] = [
      (await guess(keystile, { password })).json,
      (await guess(keystile, { password })).json,
    ]
    const hashes = (): Promise<unknown> => stage.sql('select password_hash from "user"')
    const before = await hashes()
    const passwordHashing = { memoryKiB: 20_480, passes: 2 }
    const dearer = await stage.start({ ...limited, clock: createTestClock(), passwordHashing })
    await repeat(10, () => guess(dearer, { password: wrong }))
    for (const { device_secret } of [one, other])
      assert.equal((await guess(dearer, { password, device_secret })).status, 200)
    assert.notDeepEqual(await hashes(), before)
  })

  it('logins from one IP address (IPv6: /64) share a limit, except on known devices', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    await keystile.register()
    const { json } = await guess(keystile, { password, address: '2001:db8::1' })
    const at = (n: number, address: string): Promise<Answer> =>
      guess(keystile, { username: `user-${n}`, password: wrong, address })
    const answers = await repeat(101, (n) => at(n, `2001:db8:0:0:${n}::1`))
    assert.deepEqual([countOf(answers, 400), countOf(answers, 429)], [100, 1])
    assert.equal(answers.at(-1)!.headers.get('retry-after'), '30')
    assert.equal((await at(200, '2001:db8:0:1::1')).status, 400)
    // A guess that was refused because of its address is not counted for its name.
    assert.equal(countOf(await repeat(11, () => at(100, '192.0.2.7')), 400), 10)
    const fields = { password, address: '2001:db8::2' }
    assert.equal((await guess(keystile, fields)).status, 429)
    assert.equal(
      (await guess(keystile, { ...fields, device_secret: json['device_secret'] })).status,
      200,
    )
  })

  it('rate limits use the IP address of the client, not of a trusted proxy', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    const withoutProxies = await stage.start({ rateLimits: 'on', clock: createTestClock() })
    /**
     * Guesses at a new name. Returns how many counters the guess started: always one for the name,
     * and perhaps one for an address.
     */
    const startedCounters = async (
      to: TestKeystile,
      options: SendOptions,
      username: string,
    ): Promise<number> => {
      const countRows = async (): Promise<number> => (await stage.sql('select * from rate')).length
      const before = await countRows()
      const { status } = await to.send('POST', '/token', {
        ...options,
        form: { username, password: wrong },
      })
      assert.equal(status, 400)
      return (await countRows()) - before
    }
    // A sender other than a trusted proxy is counted by the address of its socket.
    assert.equal(
      await startedCounters(keystile, { ...from('192.0.2.1'), remoteAddress: '192.0.2.9' }, 'a'),
      2,
    )
    assert.equal(
      await startedCounters(keystile, from('192.0.2.9'), 'b'),
      1,
      'the address has a count already',
    )
    assert.equal(await startedCounters(keystile, from('192.0.2.1'), 'c'), 2)
    assert.equal(await startedCounters(keystile, { remoteAddress: '127.0.0.1' }, 'd'), 1)
    assert.equal(await startedCounters(keystile, {}, 'e'), 1)
    assert.equal(
      await startedCounters(keystile, { ...from('192.0.2.70'), remoteAddress: 'unix:' }, 'g'),
      1,
      'unix: is no trusted proxy',
    )
    assert.equal(await startedCounters(withoutProxies, { remoteAddress: '192.0.2.50' }, 'f'), 1)
    const addresses = await stage.sql('select distinct address from audit order by address')
    assert.deepEqual(
      new Set(addresses.map(({ address }) => address)),
      new Set(['127.0.0.1', '192.0.2.1', '192.0.2.50', '192.0.2.9', null]),
    )
  })

  it('guesses of the current password have a rate limit per login', async () => {
    const clock = createTestClock()
    const keystile = await stage.start({ ...limited, clock })
    const stolen = await keystile.tokens()
    clock.advance(1)
    const own = await keystile.login()
    const change = (bearer: string, current_password: string, path = 'password'): Promise<Answer> =>
      keystile.send('POST', `/users/me/${path}`, {
        bearer,
        json:
          path === 'password'
            ? { current_password, new_password: password }
            : { current_password, new_email: 'a@b.example' },
      })
    const answers = await repeat(11, (n) =>
      change(stolen.accessToken, wrong, n % 2 === 0 ? 'password' : 'email'),
    )
    assert.deepEqual([countOf(answers, 403), countOf(answers, 429)], [10, 1])
    const { headers, json } = answers.at(-1)!
    assert.deepEqual(
      [headers.get('content-type'), headers.get('retry-after'), json['title']],
      ['application/problem+json', String(16 * 60), 'Too Many Requests'],
    )
    assert.equal((await change(stolen.accessToken, password)).status, 429)
    assert.equal(
      countOf(await repeat(12, () => change(own.json['access_token'], password)), 204),
      12,
    )
  })

  it('registrations per IP address are limited, but malformed requests do not count', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    const register = (n: number, address = '192.0.2.1', chosen = password): Promise<Answer> =>
      keystile.send('POST', '/users', {
        ...from(address),
        json: { username: `user-${n % 3}`, email: `user-${n}@example.com`, password: chosen },
      })
    const faulty = { ...from('192.0.2.1'), json: { username: '' } }
    assert.equal(countOf(await repeat(60, () => keystile.send('POST', '/users', faulty)), 422), 60)
    const answers = await repeat(6, register)
    assert.deepEqual([countOf(answers, 201), countOf(answers, 409)], [3, 3])
    // A registration with a refused password costs no hash, but it counts too.
    assert.equal(
      countOf(await repeat(44, () => register(7, '192.0.2.1', 'passwordpassword')), 422),
      44,
    )
    assert.equal((await register(7)).status, 429)
    assert.equal((await register(60, '192.0.2.2')).status, 409)
  })

  it('registrations with a refused password count for the rate limit', async () => {
    const keystile = await stage.start({ ...limited, clock: createTestClock() })
    const tryWith = (secret: string): Promise<Answer> =>
      keystile.send('POST', '/users', {
        ...from('192.0.2.1'),
        json: { username: 'ada', email: 'ada@example.com', password: secret },
      })
    const answers = await repeat(60, () => tryWith('passwordpassword'))
    assert.deepEqual([countOf(answers, 422), countOf(answers, 429)], [50, 10])
    assert.equal((await tryWith(password)).status, 429)
  })

  it('the device cookie in a browser stays valid after a logout', async () => {
    const keystile = await stage.start({
      ...limited,
      clock: createTestClock(),
      cookieSession: true,
    })
    await keystile.register()
    const ask = (method: string, cookie = '', tried = password): Promise<Answer> =>
      keystile.send(method, '/session', {
        headers: { origin: 'http://localhost:3000', cookie, 'x-forwarded-for': '192.0.2.1' },
        remoteAddress: '127.0.0.1',
        ...(method === 'POST' && { json: { username: 'ada', password: tried } }),
      })
    const first = await ask('POST')
    assert.equal(first.json['device_secret'], undefined)
    const [session, device, ofPages, ...others] = first.headers.getSetCookie()
    assert.match(session!, /^__Secure-keystile=/)
    assert.match(
      device!,
      /^__Secure-keystile-device=[\w-]+; Max-Age=34560000; Path=\/auth\/session; Secure; HttpOnly; SameSite=Strict$/,
    )
    assert.equal(ofPages, device!.replace('/auth/session', '/auth/account'))
    assert.deepEqual(others, [])
    const cookies = `${session!.split(';')[0]}; ${device!.split(';')[0]}`
    assert.deepEqual(
      (await ask('DELETE', cookies)).headers.getSetCookie().map((cookie) => cookie.split(';')[0]),
      ['__Secure-keystile='],
    )
    await repeat(10, () => ask('POST', '', wrong))
    assert.equal((await ask('POST')).status, 429)
    assert.equal((await ask('POST', device!.split(';')[0])).status, 200)
  })

  it('with rateLimits off, nothing is limited', async () => {
    const keystile = await stage.start({ rateLimits: 'off', trustedProxies: ['127.0.0.1'] })
    await keystile.register()
    assert.equal(countOf(await repeat(12, () => guess(keystile, { password: wrong })), 400), 12)
    const { status, json } = await guess(keystile, { password })
    assert.deepEqual([status, json['device_secret']], [200, undefined])
    assert.deepEqual(await stage.sql('select * from rate'), [])
  })
})
