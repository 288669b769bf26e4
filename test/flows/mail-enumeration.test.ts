// Tests whether the endpoints that send mails reveal which logins exist: by the bytes of the
// answers, and with KEYSTILE_LONG=1 also by the response times.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { areaUnderCurve } from '../../packages/server/test-support/area-under-curve.ts'
import {
  describeOnOne,
  password,
  serverHashing,
  type Answer,
} from '../../packages/server/test-support/keystile.ts'
import {
  nextPassword,
  startMails,
  type TestMails,
} from '../../packages/server/test-support/mail-flows.ts'
import { keepIntervals } from '../../packages/server/test-support/quick-jobs.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
if (isLong) keepIntervals()
const count = isLong ? 2_000 : 10
/** Each change of an address verifies a password, so there are fewer of them. */
const changes = isLong ? 1_000 : 5
/** So many known logins are tried at once: the server limits how many mails it sends. */
const chunk = 125

/** With KEYSTILE_LONG=1, the tests compare response times. */
const onQuiet = isLong ? ' on a quiet machine' : ''

const kinds = ['user', 'none'] as const
type Kind = (typeof kinds)[number]

/** The ids of the requests for each login. */
type RequestIds = Map<string, string>

/** An endpoint, tried with a login that exists or not. A confirmation has a wrong code. */
interface Endpoint {
  readonly name: string
  readonly isConfirmation: boolean
  ask(login: string, ids: RequestIds, started: TestMails): Promise<Answer>
}

/** The endpoints that a stranger may call. Requests come before confirmations. */
const endpoints: readonly Endpoint[] = [
  {
    name: 'POST /password-resets',
    isConfirmation: false,
    async ask(login, ids, { send }) {
      const answer = await send('POST', '/password-resets', { json: { login } })
      ids.set(login, String(answer.json['request_id']))
      return answer
    },
  },
  {
    name: 'POST /account/forgot-password',
    isConfirmation: false,
    ask: (login, _ids, { send }) =>
      send('POST', '/account/forgot-password', {
        form: { login: `${login}@example.com` },
        headers: { origin: 'http://localhost:3000' },
      }),
  },
  {
    name: 'POST /users',
    isConfirmation: false,
    async ask(login, ids, { send }) {
      const user = { username: `new-${login}`, email: `${login}@example.com`, password }
      const answer = await send('POST', '/users', { json: user })
      ids.set(`new-${login}`, String(answer.json['registration_id']))
      return answer
    },
  },
  {
    name: 'POST /email-verifications/confirm',
    isConfirmation: true,
    ask: (login, ids, { send }) =>
      send('POST', '/email-verifications/confirm', {
        json: { registration_id: ids.get(`new-${login}`), code: 'no' },
      }),
  },
  {
    name: 'POST /password-resets/confirm',
    isConfirmation: true,
    ask: (login, ids, { confirm }) => confirm({ request_id: ids.get(login), code: 'no' }),
  },
  {
    name: 'POST /account/reset-password',
    isConfirmation: true,
    ask: (login, ids, { send }) =>
      send('POST', '/account/reset-password', {
        form: { request_id: ids.get(login) ?? '', code: 'no', new_password: nextPassword },
      }),
  },
]

describeOnOne('SQLite', 'a stranger who tries logins at the endpoints for mails', (stage) => {
  it(`mail endpoints answer ${count} known and ${count} unknown login names alike${onQuiet}`, async (t) => {
    const started = await startMails(stage, {
      rateLimits: 'on',
      emailVerification: 'required',
      ...(isLong && { passwordHashing: serverHashing }),
    })
    const times = new Map<string, Times>(
      endpoints.map(({ name }) => [name, { user: [], none: [] }]),
    )
    const answers = new Map(endpoints.map(({ name }) => [name, new Set<string>()]))
    /** Tries an endpoint with each login of a chunk, known and unknown ones in a random order. */
    const tryAll = async (
      { name, ask }: Endpoint,
      logins: readonly number[],
      ids: RequestIds,
    ): Promise<void> => {
      for (const n of logins)
        for (const kind of Math.random() < 0.5 ? kinds : kinds.toReversed()) {
          const began = performance.now()
          const answer = await ask(`${kind}-${n}`, ids, started)
          times.get(name)?.[kind].push(performance.now() - began)
          answers.get(name)?.add(shapeOf(answer))
        }
    }

    for (let first = 0; first < count; first += chunk) {
      const logins = Array.from({ length: Math.min(chunk, count - first) }, (_, n) => first + n)
      const ids: RequestIds = new Map()
      await addUsers(logins, started)
      for (const endpoint of endpoints) {
        if (endpoint.isConfirmation) await started.settled()
        await tryAll(endpoint, logins, ids)
      }
      started.clock.advance(20 * 60)
    }

    const mailed = started.mails.filter(({ text }) => text.includes('reset-password?token='))
    assert.equal(mailed.length, 2 * count, 'known logins got their mails')
    for (const { name } of endpoints) {
      assert.equal(answers.get(name)?.size, 1, `${name}: ${[...(answers.get(name) ?? [])].join()}`)
      if (!isLong) continue

      const { user, none } = times.get(name) ?? { user: [], none: [] }
      const area = areaUnderCurve(user, none)
      t.diagnostic(`${stage.kind}, ${name}: the area under the curve is ${area.toFixed(3)}`)
      assert.ok(area > 0.45 && area < 0.55, `${name}: ${area}`)
    }
  })
})

describeOnOne('SQLite', 'a user who tries the addresses of others', (stage) => {
  it(`a change to a taken or a free address gets the same answer (${changes} times)${onQuiet}`, async (t) => {
    // The limits of one account would end the attack after a few tries.
    const started = await startMails(stage, { emailVerification: 'optional' })
    const { send, settled, accessToken } = started
    const bearer = await accessToken('eve')
    await settled()
    const paths = ['/users/me/email', '/email-changes/confirm'] as const
    const times = new Map<string, Times>(paths.map((path) => [path, { user: [], none: [] }]))
    const answers = new Map(paths.map((path) => [path, new Set<string>()]))
    const ask = async (path: (typeof paths)[number], kind: Kind, json: object): Promise<Answer> => {
      const began = performance.now()
      const answer = await send('POST', path, { bearer, json })
      times.get(path)?.[kind].push(performance.now() - began)
      answers.get(path)?.add(shapeOf(answer))
      return answer
    }

    started.mails.length = 0
    for (let first = 0; first < changes; first += chunk) {
      const logins = Array.from({ length: Math.min(chunk, changes - first) }, (_, n) => first + n)
      await addUsers(logins, started)
      const ids: [Kind, unknown][] = []
      for (const n of logins)
        for (const kind of Math.random() < 0.5 ? kinds : kinds.toReversed()) {
          const json = { current_password: password, new_email: `${kind}-${n}@example.com` }
          ids.push([kind, (await ask('/users/me/email', kind, json)).json['request_id']])
        }
      await settled()
      for (const [kind, request_id] of ids)
        await ask('/email-changes/confirm', kind, { request_id, code: 'no' })
    }

    const notices = started.mails.filter(({ text }) => !text.includes('token='))
    assert.equal(notices.length, changes, 'the owners of taken addresses got their notices')
    for (const path of paths) {
      assert.equal(answers.get(path)?.size, 1, `${path}: ${[...(answers.get(path) ?? [])].join()}`)
      if (!isLong) continue

      const { user, none } = times.get(path) ?? { user: [], none: [] }
      const area = areaUnderCurve(user, none)
      t.diagnostic(`${stage.kind}, POST ${path}: the area under the curve is ${area.toFixed(3)}`)
      assert.ok(area > 0.45 && area < 0.55, `${path}: ${area}`)
    }
  })
})

type Times = Record<Kind, number[]>

/** Returns all bytes of an answer. Random ids of requests are replaced by their length. */
function shapeOf({ status, headers, text }: Answer): string {
  return JSON.stringify([status, [...headers], text]).replaceAll(
    /(?<=["=])[\w-]{43}(?=\\?")/g,
    (id) => `an id of ${id.length}`,
  )
}

async function addUsers(numbers: readonly number[], { keystile }: TestMails): Promise<void> {
  for (const n of numbers) {
    const username = `user-${n}`
    const user = {
      username,
      email: `${username}@example.com`,
      password: `a password of ${n} words`,
    }
    await keystile.users?.create(user)
  }
}
