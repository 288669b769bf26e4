// A process that confirms a new password of an app's own user, and that is killed right after the
// app has stored it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createTestClock, startKeystile } from './keystile.ts'
import { openPeople } from './people.ts'

/** What the process needs. */
export interface KilledReset {
  readonly kind: 'SQLite' | 'PostgreSQL'
  /** The file or the URL of Keystile's database. */
  readonly database: string
  /** The file or the URL of the database with the app's table. */
  readonly people: string
  readonly token: string
  readonly newPassword: string
  /** The time, in milliseconds. */
  readonly now: number
}

/** Runs the process. Returns the signal that ended it. */
export async function runKilledReset(values: KilledReset): Promise<NodeJS.Signals | null> {
  const child = fork(import.meta.filename, [JSON.stringify(values)], {
    execArgv: ['--conditions=source'],
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return signal
}

async function run({ kind, database, token, newPassword, now, ...values }: KilledReset) {
  const people = await openPeople(kind, values.people)
  const users = {
    ...people.directory,
    async setPassword(...args: Parameters<NonNullable<typeof people.directory.setPassword>>) {
      const isStored = await people.directory.setPassword?.(...args)
      process.kill(process.pid, 'SIGKILL')
      return isStored ?? false
    },
  }
  const mail = { from: 'no-reply@example.com', send() {} }
  const options = { database, users, mail, clock: createTestClock(now) }
  const { send } = await startKeystile(options as object as Parameters<typeof startKeystile>[0])
  const { status, text } = await send('POST', '/password-resets/confirm', {
    json: { token, new_password: newPassword },
  })
  console.error('the process was not killed:', status, text)
  process.exit(1)
}

const [, , values] = process.argv
if (import.meta.main && values !== undefined) await run(JSON.parse(values) as KilledReset)
