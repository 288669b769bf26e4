// The commands `keystile user factors` and `keystile user reset-factors`.
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import type { Database } from '../../../storage/database.ts'
import { createSecondFactors } from '../../credentials/second-factors/second-factors.ts'
import { createNotices, noNotices } from '../../mail/messages/notices.ts'
import { byOperator } from '../../operations/audit/audit.ts'
import { withEventFeed } from '../../tokens/events/cli.ts'
import { createUsers, type User } from '../../users/accounts/users.ts'
import { hasAppUsers } from '../../users/scopes/declared.ts'
import { resetFactors } from './store.ts'

export interface Options {
  readonly mailUrl?: string | undefined
}

/** `keystile user factors`: shows what a user has set up. */
export async function show(call: Call<Options>): Promise<void> {
  const { flags, terminal } = call
  await withUser(call, async (user, database) => {
    const subject = user.publicUser.id
    const factors = createSecondFactors(database, { seal: undefined, clock: call.clock })
    const { app, recoveryCodes: codes } = await factors.describe(subject)
    const createdAt = app?.createdAt.toISOString()
    if (flags.has('json'))
      terminal.printJson({
        totp: createdAt === undefined ? null : { created_at: createdAt },
        recovery_codes: codes,
      })
    else if (createdAt === undefined)
      terminal.print(`${user.publicUser.username} has no second factor`)
    else
      terminal.print(
        `${user.publicUser.username} has an authenticator app since ${createdAt}, ` +
          `and ${codes} unused recovery codes`,
      )
  })
}

/** `keystile user reset-factors`: removes all second factors of a user. */
export async function reset(call: Call<Options>): Promise<void> {
  const { mailUrl } = (await call.settings()).options
  const notices = mailUrl === undefined ? noNotices : createNotices(noSeal, call.clock)
  await withUser(call, async (user, database) => {
    const { hadFactor } = await database.write(resetFactors, {
      subject: user.publicUser.id,
      hasAccount: true,
      notice: notices('factor_removed'),
      noticeTo: { email: undefined, isVerified: false },
      by: byOperator,
      now: call.clock.now(),
    })
    const { username } = user.publicUser
    call.terminal.print(
      hadFactor
        ? `${username} has no second factor and no sessions any more`
        : `${username} had no second factor; all sessions are ended`,
    )
  })
}

async function withUser(
  call: Call<Options>,
  work: (user: User, database: Database) => Promise<void>,
): Promise<void> {
  await withEventFeed(call, async (database, feed) => {
    if (await hasAppUsers(database))
      throw new ConfigurationError(
        'the `user` commands are for accounts that Keystile stores; the app that uses this ' +
          'database stores its users itself (its option users). ' +
          'Fix: call keystile.resetFactors(subject) in the app',
      )
    const users = createUsers(database, feed, call.clock, { ofUser: call.ofUser })
    const user = await users.findByLogin(call.operand)
    if (!user) throw new ConfigurationError(`there is no user ${call.operand}`)
    await work(user, database)
  })
}

/** A notice without an IP address has no parameters to encrypt. */
function noSeal(): never {
  throw new Error('the notice of a command must have no parameters')
}
