// Guarded routes while 10,000 mails wait in the database.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { withTemporaryFolder } from '../folder.ts'
import { bearer, checkGuard, headerOf } from '../guard-check.ts'
import { requestBytes } from '../load.ts'
import { versionsOf } from '../machine.ts'
import type { Effort } from '../measure.ts'
import { logInPeople } from '../people.ts'
import { freePort, nodeProgram, spawnProgram, startServer, stopProcess } from '../process.ts'
import type { Findings } from '../result.ts'
import { summarize, summarizePairs } from '../statistics.ts'
import { storm } from '../storm-load.ts'

const mails = 10_000
/** The promise: the p99 while mails wait is at most this many times that of the idle server. */
const maxTimesIdle = 3
const warmUpSeconds = 3
const paths = ['/auth/users/me', '/guarded']

const situations = ['the mail server is away', 'the mails are sent'] as const
type Situation = (typeof situations)[number]

/** What was measured of a situation, with a value for each round. */
interface Measured {
  readonly idle: number[]
  readonly waiting: number[]
  readonly sentPerSecond: number[]
  /** How many mails still waited at the end. */
  readonly left: number[]
}

export async function mail(effort: Effort): Promise<Findings> {
  const measured = new Map<Situation, Measured>(
    situations.map((name) => [name, { idle: [], waiting: [], sentPerSecond: [], left: [] }]),
  )
  for (let round = 0; round < effort.rounds; round++)
    for (const [situation, into] of measured) await measureTurn(situation, effort, into)

  const all = [...measured]
  const timesIdle = ({ waiting, idle }: Measured) => summarizePairs(waiting, idle, (a, b) => a / b)
  return {
    title: 'Waiting mails',
    method:
      `The p99 of \`${paths.join('` and `')}\`, each requested 50 times a second, on an idle ` +
      `server and after ${mails.toLocaleString('en')} mails were put into its SQLite database. ` +
      'Each turn starts a server, measures it idle, and then with the mails: they wait because ' +
      'the mail server refuses connections, or they are being sent to a mail server in another ' +
      'process. The ratio is that of one turn.',
    versions: versionsOf(['nodemailer', 'smtp-server']),
    table: {
      columns: ['situation', 'idle p99, ms', 'p99, ms', '÷ idle', 'sent a second', 'still wait'],
      rows: all.map(([name, one]) => ({
        name,
        cells: [
          summarize(one.idle),
          summarize(one.waiting),
          timesIdle(one),
          summarize(one.sentPerSecond),
          summarize(one.left),
        ],
      })),
    },
    bars: all.map(([name, one]) => ({
      promise: `${name}: p99 ÷ p99 of the idle server`,
      measured: timesIdle(one).median,
      atMost: maxTimesIdle,
    })),
    skipped: [],
    plot: {
      title: 'A guarded route while 10,000 mails wait',
      unit: 'p99 in ms, median and spread',
      groups: all.map(([name, one]) => ({
        name,
        items: [
          { name: 'idle', value: summarize(one.idle), isOurs: false },
          { name: 'with mails', value: summarize(one.waiting), isOurs: true },
        ],
      })),
    },
  }
}

async function measureTurn(situation: Situation, effort: Effort, into: Measured): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const database = join(folder, 'keystile.db')
    const mailPort = await freePort()
    const env = { DATABASE: database, MAIL_PORT: String(mailPort) }
    const mailServer =
      situation === 'the mails are sent'
        ? spawnProgram({ ...nodeProgram(program('mail-server.ts')), env }, mailPort)
        : undefined
    const server = await startServer({ ...nodeProgram(program('mailing-node.ts')), env })
    const sqlite = new DatabaseSync(database, { timeout: 5_000 })
    try {
      const base = `http://127.0.0.1:${server.port}`
      const [token = ''] = await logInPeople(`${base}/auth`, 1)
      const credential = bearer(token)
      for (const path of paths) await checkGuard(`${base}${path}`, credential)
      const probes = paths.map((name) => ({
        name,
        request: requestBytes(`GET ${name}`, headerOf(credential)),
      }))
      const ask = async (seconds: number): Promise<number> => {
        const load = { port: server.port, clients: 0, login: noLogin, probes, warmUpSeconds: 0 }
        return p99([...(await storm({ ...load, seconds })).probes.values()].flat())
      }
      await ask(effort.quick ? 0.2 : warmUpSeconds)
      into.idle.push(await ask(effort.seconds))

      insertMails(sqlite)
      await delay(effort.quick ? 100 : 2_000)
      const [before, start] = [countMails(sqlite), performance.now()]
      into.waiting.push(await ask(effort.seconds))
      const left = countMails(sqlite)
      into.sentPerSecond.push(((before - left) * 1000) / (performance.now() - start))
      into.left.push(left)
    } finally {
      sqlite.close()
      await server.stop()
      if (mailServer) await stopProcess(mailServer)
    }
  })
}

function program(name: string): string {
  return join(import.meta.dirname, '../servers', name)
}

function noLogin(): Buffer {
  throw new Error('no login in this scenario')
}

function insertMails(sqlite: DatabaseSync): void {
  const now = Date.now()
  const insert = sqlite.prepare(
    `insert into mail (id, template, subject, recipient, created_at, expires_at, tries, next_try_at)
      values (?, 'account_disabled', 'user', ?, ?, ?, 0, ?)`,
  )
  sqlite.exec('begin immediate')
  for (let n = 0; n < mails; n++) {
    const id = randomBytes(16).toString('hex')
    insert.run(id, `user${n}@example.com`, now, now + 3_600_000, now)
  }
  sqlite.exec('commit')
}

function countMails(sqlite: DatabaseSync): number {
  return Number(sqlite.prepare('select count(*) as number from mail').get()?.['number'])
}

/** Returns the smallest value such that 99 percent of all values are not larger. */
function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? 0
}
