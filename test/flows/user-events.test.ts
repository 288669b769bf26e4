// Each change of a user must insert an event, because guards keep users in memory. A trigger of the
// database records which users were changed.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as z from 'zod'
import { describeOnOne, type Stage } from '../../packages/server/test-support/keystile.ts'
import {
  mailFlows,
  readMail,
  startMails,
  type MailFlow,
  type TestMails,
} from '../../packages/server/test-support/mail-flows.ts'
import { until } from '../../tools/until.ts'

const password = 'correct horse battery staple'
const person = { username: 'ada', email: 'ada@example.com', password }

/** Flows of which the confirmation only inserts a user. */
const inserting = ['registration', 'invitation']

describeOnOne('PostgreSQL', 'changes of users', (stage) => {
  for (const flow of mailFlows) {
    const title = inserting.includes(flow.name) ? 'changes no user' : 'adds an event for its change'
    it(`the confirmation of the flow "${flow.name}" ${title}`, async () => {
      const started = await startMails(stage, flow.options)
      const watch = await watchUsers(stage)
      const token = await askForToken(flow, started)
      const before = await watch.reset()
      const answer = await started.send('POST', flow.confirmPath, {
        json: { ...flow.fields(person), token },
      })
      assert.ok(answer.status === 204 || answer.status === 201, answer.text)
      const changed = await watch.requireEvents(before)
      assert.equal(changed.length > 0, !inserting.includes(flow.name))
    })
  }

  it('every change of a user’s row, such as a new hash after a login, adds an event', async () => {
    const started = await startMails(stage, {
      emailVerification: 'off',
      profile: z.looseObject({}),
    })
    const { keystile, users, send, login, writeHash } = started
    assert.ok(keystile.users)
    const { id } = await keystile.users.create(person)
    await keystile.users.create({ username: 'bob', password })
    const bearer = String((await login()).json['access_token'])
    const weak = '$2b$04$O7mIJu7a20kBB/zzQ75YOOmS5yPv2DF40upBUL9UO1Qsq1H0xd4Cq'
    const own = { current_password: password }
    const json = (values: object): { bearer: string; json: object } => ({ bearer, json: values })
    const next = 'purple monkey dishwasher'

    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      profile: () => send('PATCH', '/users/me', json({ nick: 'countess' })),
      address: () => send('POST', '/users/me/email', json({ ...own, new_email: 'a@new.example' })),
      password: () => send('POST', '/users/me/password', json({ ...own, new_password: next })),
      'password by the app': () => keystile.users!.setPassword(id, password),
      'profile by the app': () => keystile.users!.update(id, { nick: 'lady' }),
      rights: () => keystile.users!.grant(id, { scopes: ['users:read'] }),
      disabled: () => keystile.users!.disable(id),
      enabled: () => keystile.users!.enable(id),
      'weaker hash': () => writeHash(id, weak),
      'stronger hash': async () => assert.equal((await login()).status, 200),
      deleted: () => keystile.users!.delete(id),
    }
    const watch = await watchUsers(stage)
    for (const [name, change] of Object.entries(changes)) {
      const before = await watch.reset()
      await change()
      if (name === 'stronger hash') await hashIsReplaced(started, id, weak)
      assert.deepEqual(await watch.requireEvents(before), [id], `${name}: no row was changed`)
    }
    assert.equal(await users.readBySubject(id), undefined)
  })
})

async function askForToken(flow: MailFlow, started: TestMails): Promise<string> {
  const { status, text } = await flow.ask(person, started)
  assert.ok(status < 300, text)
  await started.settled()
  return started.mails.map((mail) => readMail(mail).token).findLast((token) => token !== '') ?? ''
}

/** A login replaces a weak hash after its answer. */
async function hashIsReplaced({ readHash }: TestMails, id: string, weak: string): Promise<void> {
  await until(async () => (await readHash(id)) !== weak)
}

/** Records changed users in a table, by a trigger. */
async function watchUsers(stage: Stage): Promise<{
  /** Forgets the recorded users, and returns the number of events of each user. */
  reset(): Promise<ReadonlyMap<string, number>>
  /** Requires that each recorded user has got an event, and returns these users. */
  requireEvents(before: ReadonlyMap<string, number>): Promise<readonly string[]>
}> {
  for (const statement of stage.kind === 'SQLite' ? sqliteTrigger : postgresTrigger)
    await stage.sql(statement)

  const countEvents = async (): Promise<ReadonlyMap<string, number>> => {
    const rows = await stage.sql(
      "select value, count(*) as n from event where kind = 'user' group by value",
    )
    return new Map(rows.map(({ value, n }) => [String(value), Number(n)]))
  }
  return {
    async reset() {
      await stage.sql('delete from changed_user')
      return countEvents()
    },
    async requireEvents(before) {
      const changed = (await stage.sql('select distinct subject from changed_user')).map(
        ({ subject }) => String(subject),
      )
      const events = await countEvents()
      for (const subject of changed)
        assert.ok((events.get(subject) ?? 0) > (before.get(subject) ?? 0), 'no event was inserted')
      return changed
    },
  }
}

const columns = [
  'username',
  'email',
  'email_verified_at',
  'password_hash',
  'scopes',
  'roles',
  'profile',
  'disabled_at',
  'deleted_at',
]
const sqliteTrigger = [
  'create table changed_user (subject text)',
  `create trigger watch after update on user
    when ${columns.map((column) => `old.${column} is not new.${column}`).join(' or ')}
    begin insert into changed_user values (new.id); end`,
]
const postgresTrigger = [
  'create table changed_user (subject text)',
  `create function watch() returns trigger language plpgsql as
    $$ begin insert into keystile.changed_user values (new.id); return new; end $$`,
  `create trigger watch after update on "user" for each row
    when (${columns.map((column) => `old.${column} is distinct from new.${column}`).join(' or ')})
    execute function watch()`,
]
