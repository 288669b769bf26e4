// A program that runs the flows of Keystile once, on a database with many rows. The test of the
// plans starts it, and records its statements.
//
//   DATABASE=… RECORDED=… node --conditions=source --import=./record-statements.ts flows.ts
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { MailMessage } from '@keystile/server'
import pg from 'pg'
import {
  createTestClock,
  password,
  startKeystile,
  tokensOf,
  type Answer,
  type SendOptions,
  type TestKeystile,
} from '../../packages/server/test-support/keystile.ts'
import {
  mailFlows,
  readMail,
  type MailFlow,
} from '../../packages/server/test-support/mail-flows.ts'
import { idOf, refreshTokenOf, usernameOf } from '../../packages/server/test-support/many-rows.ts'
import { until } from '../../tools/until.ts'
import { notRecorded, recordFlow } from './record-statements.ts'

const database = process.env['DATABASE'] ?? ''
const users = Number(process.env['USERS'])
const clock = createTestClock()

/** Asks the database directly, without a record. */
async function ask(text: string): Promise<readonly unknown[]> {
  if (!database.startsWith('postgres')) {
    using sqlite = new DatabaseSync(database, { timeout: 60_000 })
    return sqlite.prepare(`${notRecorded} ${text}`).all()
  }
  const client = new pg.Client({ connectionString: database, options: '-c search_path=keystile' })
  await client.connect()
  try {
    return (await client.query(`${notRecorded} ${text}`)).rows
  } finally {
    await client.end()
  }
}

/** Waits until a query finds no row. */
async function untilNone(text: string): Promise<void> {
  await until(async () => (await ask(`${text} limit 1`)).length === 0)
}

const mails: MailMessage[] = []
const plain = { database, clock, rateLimits: 'on' } as const
const options = {
  ...plain,
  mail: {
    from: 'no-reply@example.com',
    send: (message: MailMessage): void => void mails.push(message),
  },
  onEvent: { durable: true, handle: (): void => {} },
} as const

/** Starts Keystile, runs flows, and waits until its background jobs have nothing left to do. */
async function withKeystile(
  settings: Parameters<typeof startKeystile>[0],
  run: (started: TestKeystile) => Promise<void>,
): Promise<void> {
  recordFlow('start')
  const started = await startKeystile(settings)
  try {
    await run(started)
    recordFlow('background jobs')
    await settled()
    await untilNone(`select id from app_event where ${isDue}`)
    for (const query of expired) await untilNone(query)
  } finally {
    await started.keystile.close()
  }
}

/**
 * Selects the mails and events of the flows. Those of the fill are due later, or are dead letters.
 */
const isDue = `dead_at is null and next_try_at < ${clock.now() + 30 * 60 * 1000}`

/** Finds rows of the fill that housekeeping must delete. */
const longAgo = clock.now() - 35 * 24 * 60 * 60 * 1000
const expired = [
  `select id from session where idle_expires_at < ${longAgo + 14 * 24 * 60 * 60 * 1000}`,
  `select id from audit where id < '0199'`,
  `select key from rate where tat < ${longAgo}`,
  ...[
    'event',
    'mail',
    'dropped_mail',
    'mail_proof',
    'former_email',
    'pending_registration',
    'app_event',
  ].map((table) => `select 1 from ${table} where expires_at < ${longAgo}`),
]

/** Resolves when all requests for mails are resolved, and all mails that can be sent are sent. */
async function settled(): Promise<void> {
  await untilNone('select id from mail_proof where resolved_at is null')
  await untilNone(`select id from mail where ${isDue}`)
}

/** Runs a flow, and checks the status of its answer. */
async function flow(name: string, status: number, answer: () => Promise<Answer>): Promise<Answer> {
  recordFlow(name)
  const got = await answer()
  assert.equal(got.status, status, `${name}: ${got.text}`)
  // The feed of this process reads the database, too. Its statements must not count for the flow.
  recordFlow('between two flows')
  await delay(5)
  return got
}

async function runSessions(started: TestKeystile): Promise<void> {
  const { send, login, refresh } = started
  const logIn = async (n: number): Promise<ReturnType<typeof tokensOf>> =>
    tokensOf((await flow('login', 200, () => login({ username: usernameOf(n) }))).json)
  const { accessToken: bearer } = await logIn(5)
  await logIn(users - 1) // this user has an outdated hash
  await flow('refused login', 400, () => login({ username: usernameOf(6), password: 'wrong one' }))

  recordFlow('exhausted rate limit')
  for (let status = 400; status === 400;)
    ({ status } = await login({ username: 'nobody', password: 'wrong one' }))
  await flow('refused without a count', 429, () => login({ username: 'nobody' }))

  const session = 11
  const first = refreshTokenOf(users, session)
  const { json } = await flow('refresh', 200, () => refresh(first))
  await flow('refresh', 200, () => refresh(String(json['refresh_token'])))
  await flow('reuse of a refresh token', 400, () => refresh(first))

  await flow('GET /users/me', 200, () => send('GET', '/users/me', { bearer }))
  await flow('list of sessions', 200, () => send('GET', '/users/me/sessions', { bearer }))
  const { accessToken, sessionId } = await logIn(5)
  await flow('logout', 204, () => send('DELETE', `/users/me/sessions/${sessionId}`, { bearer }))
  const form = { token: refreshTokenOf(users, 31) }
  await flow('revocation of a refresh token', 200, () => send('POST', '/revoke', { form }))
  await flow('GET /users/me with a revoked token', 401, () =>
    send('GET', '/users/me', { bearer: accessToken }),
  )
  // This user has many ended sessions.
  const { accessToken: busy } = await logIn(1)
  await flow('list of sessions', 200, () => send('GET', '/users/me/sessions', { bearer: busy }))
  await flow('logout everywhere', 204, () => send('DELETE', '/users/me/sessions', { bearer: busy }))
}

async function runAccounts({ send, login, register }: TestKeystile): Promise<void> {
  await flow('registration', 201, () => register({ username: 'new', email: 'new@example.org' }))
  const answer = await flow('login', 200, () => login({ username: usernameOf(7) }))
  const { accessToken: bearer } = tokensOf(answer.json)
  await flow('change of the password', 204, () =>
    send('POST', '/users/me/password', {
      bearer,
      json: { current_password: password, new_password: 'purple monkey dishwasher' },
    }),
  )
  await flow('change of the profile', 200, () => send('PATCH', '/users/me', { bearer, json: {} }))
}

async function runManagement({ keystile, send, login, addClient }: TestKeystile): Promise<void> {
  const answer = await flow('login', 200, () => login({ username: usernameOf(0) }))
  const { accessToken: bearer } = tokensOf(answer.json)
  await flow('list of users', 200, () => send('GET', '/users?after=user5&limit=200', { bearer }))
  const path = `/users/${idOf(users, 'user', 8)}`
  await flow('one user', 200, () => send('GET', path, { bearer }))
  await flow('new roles', 200, () => send('PATCH', path, { bearer, json: { roles: ['admin'] } }))
  await flow('disabled user', 200, () => send('PATCH', path, { bearer, json: { disabled: true } }))
  await flow('deleted user', 204, () => send('DELETE', path, { bearer }))
  await flow('list of users', 200, () => send('GET', '/users', { bearer }))

  recordFlow('functions of the app')
  const subject = idOf(users, 'user', 9)
  await keystile.sessions.create({ subject })
  await keystile.sessions.list(subject)
  await keystile.sessions.revokeAll(subject)
  await keystile.users?.find({ login: `${usernameOf(9)}@example.com` })
  await keystile.users?.listInvitations()

  const client = await addClient({ id: 'orders', grants: [], may: ['introspect', 'revocations'] })
  const basic = Buffer.from(`${client['client_id']}:${client['client_secret']}`).toString('base64')
  const headers = { authorization: `Basic ${basic}` }
  const form = { token: bearer }
  await flow('introspection', 200, () => send('POST', '/introspect', { headers, form }))
  recordFlow('feed of revocations')
  const stream = await keystile.fetch(new Request(`${keystile.issuer}/revocations`, { headers }))
  assert.equal(stream.status, 200)
  await stream.body?.cancel()
}

/** Asks for the mail of a flow, and confirms with its code or its link. */
async function runMailFlow(mailFlow: MailFlow, started: TestKeystile, way: number): Promise<void> {
  const { name, idName, confirmPath } = mailFlow
  const username = `person${mailFlows.indexOf(mailFlow)}-${way}`
  const person = { username, email: `${username}@example.org`, password }
  const asked = idName === undefined ? 204 : 202
  const { json } = await flow(`${name}: request`, asked, async () => {
    const { status, text, json } = await mailFlow.ask(person, started)
    return { status, text, json, headers: new Headers() }
  })
  recordFlow(`${name}: mail`)
  await settled()
  // A notice to another person may arrive last.
  const { code, token } = readMail(mails.findLast(({ to }) => to.startsWith(`${username}@`)))
  const byCode = way === 0 && idName !== undefined
  const fields = {
    ...mailFlow.fields(person),
    ...(byCode ? { [idName]: json[idName], code: code.replace(' ', '') } : { token }),
  }
  recordFlow(`${name}: confirmation`)
  const confirm: SendOptions = { json: fields }
  const { status, text } = await started.send('POST', confirmPath, confirm)
  assert.ok(status < 300, `${name}: ${text}`)
}

const verifications = ['optional', 'required', 'off'] as const
for (const emailVerification of verifications)
  await withKeystile(
    { ...options, emailVerification, secondFactor: 'optional' },
    async (started) => {
      for (const mailFlow of mailFlows) {
        const { emailVerification: needed = 'optional' } = mailFlow.options
        if (needed !== emailVerification) continue
        for (const way of [0, 1]) await runMailFlow(mailFlow, started, way)
      }
      if (emailVerification !== 'optional') return
      await runSessions(started)
      await runAccounts(started)
      await runManagement(started)
    },
  )

// The statements of the usual flows are counted without mails and events.
{
  const { keystile, send, login, register, refresh } = await startKeystile(plain)
  await flow('registration', 201, () => register({ username: 'last', email: 'last@example.org' }))
  const answer = await flow('login', 200, () => login({ username: usernameOf(10) }))
  const { accessToken: bearer, refreshToken, sessionId } = tokensOf(answer.json)
  await flow('refresh', 200, () => refresh(refreshToken))
  await flow('GET /users/me', 200, () => send('GET', '/users/me', { bearer }))
  await flow('logout', 204, () => send('DELETE', `/users/me/sessions/${sessionId}`, { bearer }))
  await keystile.close()
}
