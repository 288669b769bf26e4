// Second factors under load and under kills: a code works once on all servers, and a factor is
// spent exactly if its session starts.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createAuthenticatorApp } from 'keystile/testing'
import { startServer, type RunningServer } from '../../packages/server/test-support/command.ts'
import {
  createTestClock,
  describeOnBoth,
  issuer,
  key,
  password,
  readAnswer,
  startKeystile,
  type Answer,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import { howToGetPostgres } from '../../packages/server/test-support/postgres.ts'
import { enrol, giveApps } from '../../packages/server/test-support/second-factor.ts'
import { until } from '../../tools/until.ts'
import { openFile, openPostgres, type Place } from './places.ts'
import { createRandom, type Random } from './random.ts'

const isLong = Boolean(process.env['KEYSTILE_LONG'])
const seed = Number(process.env['KEYSTILE_SEED'] ?? randomInt(2 ** 31))

describeOnBoth('codes that are sent at the same time', (stage) => {
  const [rounds, attempts] = isLong ? [100, 20] : [2, 6]
  const title = `of ${rounds * attempts * 5} codes at three servers, each step is accepted once`
  it(`${title} (KEYSTILE_SEED=${seed})`, async (t) => {
    const clock = createTestClock()
    const random = createRandom(seed)
    const servers: TestKeystile[] = []
    for (let n = 0; n < 3; n++) servers.push(await stage.start({ clock, secondFactor: 'optional' }))
    const [first] = servers as [TestKeystile, ...TestKeystile[]]
    const ada = await enrol(first, clock)
    const app = createAuthenticatorApp(ada.secret)
    const accepted: number[] = []
    let unavailable = 0

    for (let round = 0; round < rounds; round++) {
      clock.advance(120)
      // Enough wrong codes in a row would refuse all codes.
      await stage.sql('update authenticator_app set wrong_codes = 0')
      const begun = await Promise.all(
        Array.from({ length: attempts }, (_, n) => servers[n % servers.length]!.login()),
      )
      const step = Math.floor(clock.now() / 30_000)
      const tries = begun.flatMap(({ json }) =>
        [-2, -1, 0, 1, 2].map((distance) => ({ distance, session: json['auth_session'] })),
      )
      const answers = await Promise.all(
        tries
          .toSorted(() => random(3) - 1)
          .map(async ({ distance, session }) => {
            const otp = app.code(new Date((step + distance) * 30_000))
            const form = { auth_session: String(session), otp }
            const server = servers[random(servers.length)]!
            const { status, text } = await server.send('POST', '/token', { form })
            return { used: step + distance, status, text }
          }),
      )
      for (const { status, used, text } of answers) {
        // On a busy machine, a request may wait too long for its turn.
        assert.ok(status === 200 || status === 400 || status === 503, text)
        if (status === 200) accepted.push(used)
        if (status === 503) unavailable++
      }
    }
    assert.ok(accepted.length > 0)
    assert.equal(new Set(accepted).size, accepted.length)
    const sessions = await stage.sql(
      `select id from session where subject = '${ada.subject}' and amr like '%mfa%'`,
    )
    assert.ok(sessions.length >= accepted.length)
    assert.ok(sessions.length <= accepted.length + unavailable)
    t.diagnostic(`${accepted.length} accepted in ${rounds} rounds; ${unavailable} times 503`)
  })
})

/** A person whose app shows one code that matters: the person logs in once. */
interface Person {
  readonly username: string
  readonly subject: string
  readonly secret: string
}

async function addPeople({ database, ask }: Place, count: number): Promise<readonly Person[]> {
  const { keystile } = await startKeystile({ database })
  const names = Array.from({ length: count }, (_, n) => `user-${n}`)
  const subjects: string[] = []
  for (const username of names) {
    const user = await keystile.users?.create({ username, password })
    subjects.push(user?.id ?? '')
  }
  await keystile.close()
  const secrets = await giveApps({ sql: ask }, subjects)
  return names.map((username, n) => ({
    username,
    subject: subjects[n]!,
    secret: secrets[n]!,
  }))
}

/** Compares the factors that are spent with the sessions, while no server runs. */
async function compare({ ask }: Place): Promise<number> {
  const apps = await ask('select subject, last_step from authenticator_app')
  const sessions = await ask('select subject, amr from session')
  for (const { amr } of sessions) assert.match(String(amr), /mfa/)
  const started = sessions.map(({ subject }) => String(subject)).toSorted()
  const spent = apps.filter((app) => Number(app['last_step']) >= 0).map((app) => app['subject'])
  assert.deepEqual(started, spent.map(String).toSorted())
  return spent.length
}

/** How many people log in at the same time. */
const atOnce = 4

/** People log in with a code each, while the server is killed again and again. */
async function killOften(place: Place, kills: number, random: Random): Promise<string> {
  const people = await addPeople(place, kills * atOnce)
  let [answered, lost] = [0, 0]
  try {
    for (let kill = 0; kill < kills; kill++) {
      const server = await startServer({
        cwd: import.meta.dirname,
        env: {
          KEYSTILE_ISSUER: issuer,
          KEYSTILE_KEY: key,
          KEYSTILE_DATABASE: place.database,
          KEYSTILE_RATE_LIMITS: 'off',
        },
      })
      const group = people.slice(kill * atOnce, (kill + 1) * atOnce)
      const begun = await Promise.all(group.map((person) => begin(server, person)))
      const ends = group.map((person, n) => end(server, person, begun[n]!))
      const further = group.map((person) => begin(server, person).catch(() => undefined))
      await Promise.all(ends.slice(0, random(atOnce)))
      await wait(random(20))
      await server.stop('SIGKILL')

      for (const isAnswered of await Promise.all(ends))
        if (isAnswered) answered++
        else lost++
      await Promise.all(further)
      await compare(place)
    }
    const spent = await compare(place)
    assert.ok(spent >= answered)
    return `${answered} answers, ${lost} lost; ${spent} of ${people.length} codes spent`
  } finally {
    await place.close()
  }
}

async function post(
  { url }: RunningServer,
  form: Readonly<Record<string, string>>,
): Promise<Answer> {
  const init = { method: 'POST', body: new URLSearchParams(form) }
  return readAnswer(await fetch(`${url}/auth/token`, init))
}

/** Sends the password. On a busy machine, the server may not be able to hash it soon enough. */
async function begin(server: RunningServer, { username }: Person): Promise<string> {
  const { json } = await until(async () => {
    const answer = await post(server, { username, password })
    return answer.status === 403 && answer
  })
  return String(json['auth_session'])
}

/** Sends the code. Returns whether an answer came. */
async function end(server: RunningServer, person: Person, session: string): Promise<boolean> {
  const otp = createAuthenticatorApp(person.secret).code()
  const answer = await post(server, { auth_session: session, otp }).catch(() => undefined)
  if (answer) assert.equal(answer.status, 200, answer.text)
  return answer !== undefined
}

describe('a server that is killed during logins with a factor', { timeout: 1_800_000 }, () => {
  const kills = isLong ? 100 : 1
  const title = `a factor is spent exactly if its session starts (${kills}×, KEYSTILE_SEED=${seed})`
  it(`on SQLite, ${title}`, async (t) => {
    t.diagnostic(await killOften(openFile(), kills, createRandom(seed)))
  })
  const hasPostgres = Boolean(process.env['CI'] || process.env['KEYSTILE_TEST_DATABASE_URL'])
  const skip = hasPostgres ? false : `no PostgreSQL: ${howToGetPostgres}`
  it(`on PostgreSQL, ${title}`, { skip }, async (t) => {
    t.diagnostic(await killOften(await openPostgres(), kills, createRandom(seed + 1)))
  })
})
