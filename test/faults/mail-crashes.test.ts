// Three processes on one database disable users and send the notices. 100 times one of them is
// killed (SIGKILL): around the commit of a change, while the mail server reads a mail, and right
// after the mail server has accepted one. Some changes fail at their commit.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  describeOnBoth,
  password,
  type Stage,
} from '../../packages/server/test-support/keystile.ts'
import { startMailServer, type MailServer } from '../../packages/server/test-support/mail-server.ts'
import { until } from '../../tools/until.ts'
import { startProcess, type KeystileProcess } from './process.ts'
import { createRandom, type Random } from './random.ts'

const skip = process.env['KEYSTILE_LONG'] ? false : 'KEYSTILE_LONG=1 runs it'
/** KEYSTILE_ROUNDS is for a shorter run while you work on this test. */
const kills = Number(process.env['KEYSTILE_ROUNDS'] ?? 100)
const usersEach = 6
const processNames = ['a', 'b', 'c'] as const
type ProcessName = (typeof processNames)[number]
/** Longer than a claim of a mail lasts, so that another process may send the mail. */
const roundSeconds = 91

/** The moments of a kill: a random one, while a mail is read, right after it was accepted. */
const moments = ['random', 'data', 'accepted'] as const

describe('mails and kills', { skip, concurrency: 2, timeout: 1_800_000 }, () =>
  describeOnBoth('processes that are killed', testKills),
)

function testKills(stage: Stage): void {
  it(`despite ${kills} kills, a change sends a mail if and only if it was committed`, async (t) => {
    const server = await startMailServer()
    const processes = new Map<ProcessName, KeystileProcess>()
    try {
      const names = await makeUsers(stage)
      const counts = await killAgainAndAgain(stage, { server, processes, random: createRandom(7) })
      const sent = new Map<string, number>()
      for (const { envelope } of server.mails)
        for (const to of envelope.to) sent.set(to, (sent.get(to) ?? 0) + 1)
      const disabled = new Set(
        (await stage.sql('select email from "user" where disabled_at is not null')).map(
          ({ email }) => String(email),
        ),
      )
      const copies = server.mails.length - sent.size
      t.diagnostic(
        JSON.stringify({ ...counts, changes: disabled.size, mails: server.mails.length, copies }),
      )
      assert.deepEqual(
        names.filter((email) => disabled.has(email) !== sent.has(email)),
        [],
      )
      assert.ok([...sent.keys()].every((email) => !email.startsWith('rolled')))
      assert.ok(copies <= counts.unmarked, 'each extra copy comes from a kill before our mark')
      assert.ok(disabled.size > kills && counts.unmarked > 0)
    } finally {
      for (const one of processes.values()) one.kill()
      await Promise.all([...processes.values()].map(({ ended }) => ended))
      await server.close()
    }
  })
}

/** Adds an administrator and users, and makes changes of some users fail at their commit. */
async function makeUsers(stage: Stage): Promise<readonly string[]> {
  const { keystile, addUser } = await stage.start()
  await addUser({ username: 'root', email: 'root@example.com' })
  await stage.sql(`update "user" set roles = '["admin"]', email = null, email_key = null`)
  const emails = Array.from({ length: kills * usersEach }, (_, n) =>
    n % usersEach === 0 ? `rolled${n}@example.com` : `user${n}@example.com`,
  )
  for (const email of emails) await addUser({ username: email.replace('@', '.'), email })
  await keystile.close()
  for (const statement of refuseCommits(stage.kind)) await stage.sql(statement)
  return emails
}

interface Parts {
  readonly server: MailServer
  readonly processes: Map<ProcessName, KeystileProcess>
  readonly random: Random
}

/** Kills a process in each round, and waits until all mails of the round have arrived. */
async function killAgainAndAgain(
  stage: Stage,
  { server, processes, random }: Parts,
): Promise<{ readonly unmarked: number; readonly byMoment: Readonly<Record<string, number>> }> {
  const url = (name: ProcessName): string => server.url.replace('smtp://', `smtp://${name}:secret@`)
  const startOne = async (name: ProcessName, seconds: number): Promise<void> => {
    const mail = { mailUrl: url(name), mailFrom: 'no-reply@example.com' }
    const started = await startProcess(stage.database, mail)
    if (seconds > 0) await started.advance(seconds)
    processes.set(name, started)
  }
  for (const name of processNames) await startOne(name, 0)

  const ids = new Map<string, string>()
  for (const { id, email } of await stage.sql('select id, email from "user"'))
    ids.set(String(email), String(id))
  const waiting = async (): Promise<readonly string[]> =>
    (await stage.sql('select id from mail')).map(({ id }) => String(id))
  const byMoment = { random: 0, data: 0, accepted: 0 }
  let unmarked = 0
  for (let round = 0; round < kills; round++) {
    const moment = moments[round % moments.length] ?? 'random'
    const killed = await disableAndKill(round, moment)
    byMoment[moment]++

    const left = await waiting()
    await delay(50) // the mail server reads what was sent before the kill
    const accepted = new Set(
      server.mails.filter(({ user }) => user === killed).map(({ parsed }) => parsed.messageId),
    )
    unmarked += left.filter((id) => accepted.has(`<${id}@localhost>`)).length
    const seconds = (round + 1) * roundSeconds
    await Promise.all(
      processNames.map(async (name) =>
        name === killed ? startOne(name, seconds) : processes.get(name)?.advance(roundSeconds),
      ),
    )
    // The holder of the lease sends all mails. If it lives, it must keep the lease.
    if (server.mails.at(-1)?.user === killed) await stage.sql('update lease set expires_at = 0')
    await until(async () => (await waiting()).length === 0)
  }
  return { unmarked, byMoment }

  /** Disables the users of a round through all processes, and kills one. Returns its name. */
  async function disableAndKill(
    round: number,
    moment: (typeof moments)[number],
  ): Promise<ProcessName> {
    const victim = Promise.withResolvers<ProcessName>()
    if (moment !== 'random') server.onMail = (when, user) => when === moment && strike(user)
    function strike(name: string | undefined): void {
      const found = processNames.find((one) => one === name)
      if (!found) return
      server.onMail = () => {}
      if (moment === 'accepted') setTimeout(() => kill(found), random(4))
      else kill(found)
    }
    function kill(name: ProcessName): void {
      processes.get(name)?.kill()
      victim.resolve(name)
    }

    const asked = processNames.map(async (name, index) => {
      const one = processes.get(name)
      const login = { form: { username: 'root', password } }
      const [token] = (await one?.ask([['POST', '/token', login]])) ?? []
      const bearer = token?.json['access_token'] as string
      const mine = [...ids].filter(
        ([email]) =>
          numberOf(email) >= round * usersEach && numberOf(email) < (round + 1) * usersEach,
      )
      const requests = mine
        .filter((_, n) => n % processNames.length === index)
        .map(([, id]) => ['PATCH', `/users/${id}`, { bearer, json: { disabled: true } }] as const)
      if (moment === 'random' && index === round % processNames.length)
        setTimeout(() => kill(name), random(40))
      await one?.ask(requests)
    })
    // A killed process does not answer.
    await Promise.allSettled(asked)
    const name = await victim.promise
    await processes.get(name)?.ended
    return name
  }
}

function numberOf(email: string): number {
  return Number(/^[a-z]+(\d+)@/.exec(email)?.[1] ?? -1)
}

/** Statements that make the commit of a mail to some addresses fail. */
function refuseCommits(kind: Stage['kind']): readonly string[] {
  const isRefused = "new.recipient like 'rolled%'"
  return kind === 'SQLite'
    ? [
        'create table parent (id text primary key)',
        'create table late (id text references parent (id) deferrable initially deferred)',
        `create trigger late after insert on mail when ${isRefused}
          begin insert into late values (new.id); end`,
      ]
    : [
        `create function late() returns trigger language plpgsql
          as $$ begin raise exception 'no'; end $$`,
        `create constraint trigger late after insert on mail deferrable initially deferred
          for each row when (${isRefused}) execute function late()`,
      ]
}
