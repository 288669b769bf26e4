// The commands `keystile user factors` and `keystile user reset-factors`. They need no key: if the
// app does not start because its key is lost, only they can help.
import type { JsonObject } from 'keystile/internal'
import { ConfigurationError } from '../../../base/configuration-error.ts'
import type { Call } from '../../../feature/cli-command.ts'
import type { Database } from '../../../storage/database.ts'
import {
  createSecondFactors,
  maxWrongCodes,
  type DescribedFactors,
} from '../../credentials/second-factors/second-factors.ts'
import { createNotices, noNotices } from '../../mail/messages/notices.ts'
import { byOperator } from '../../operations/audit/by.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { withEventFeed } from '../../tokens/events/with-event-feed.ts'
import { createUsers } from '../../users/accounts/users.ts'
import { hasAppUsers } from '../../users/scopes/declared.ts'
import { resetFactors } from './store.ts'

export interface Options {
  readonly mailUrl?: string | undefined
}

/** `keystile user factors`: shows what a user has set up. */
export async function show(call: Call<Options>): Promise<void> {
  const { flags, terminal } = call
  await withEventFeed(call, async (database, feed) => {
    const { id: subject, username, hasAccount } = await findUser(call, database, feed)
    const factors = createSecondFactors(database, { seal: undefined, clock: call.clock })
    const { app, recoveryCodes } = await factors.describe(subject)
    const { count: codes } = recoveryCodes
    if (flags.has('json')) {
      terminal.printJson({ totp: app ? wireApp(app) : null, recovery_codes: codes })
      return
    }
    if (!app) {
      terminal.print(`${username} has no second factor${hasAccount ? '' : `. ${bySubject}`}`)
      return
    }

    terminal.print(
      `${username} has an authenticator app since ${app.createdAt.toISOString()}, ` +
        `and ${codes} unused recovery codes`,
    )
    if (!app.takesUnknownDevices)
      terminal.print(
        `After ${maxWrongCodes} wrong codes in a row, unknown devices cannot use codes of the ` +
          'app until the user logs in with a recovery code or on a known device, or sets a new ' +
          'password, or until you run keystile user reset-factors',
      )
  })
}

function wireApp({
  createdAt,
  takesUnknownDevices,
}: NonNullable<DescribedFactors['app']>): JsonObject {
  return { created_at: createdAt.toISOString(), takes_unknown_devices: takesUnknownDevices }
}

/** `keystile user reset-factors`: removes all second factors of a user. */
export async function reset(call: Call<Options>): Promise<void> {
  const { mailUrl } = (await call.settings()).options
  const notices = mailUrl === undefined ? noNotices : createNotices(noSeal, call.clock)
  await withEventFeed(call, async (database, feed) => {
    const { id: subject, username, hasAccount } = await findUser(call, database, feed)
    const { hadFactor, endedSessions } = await database.write(resetFactors, {
      subject,
      hasAccount,
      notice: notices('factor_removed'),
      // An app's own user gets no notice, because only the app knows the address.
      noticeTo: { email: undefined, isVerified: false },
      by: byOperator,
      now: call.clock.now(),
    })
    await feed.tail()
    if (!hasAccount && !hadFactor && endedSessions === 0)
      throw new ConfigurationError(`${subject} has no second factor and no session. ${bySubject}`)
    call.terminal.print(
      hadFactor
        ? `${username} has no second factor and no sessions any more`
        : `${username} had no second factor; all sessions are ended`,
    )
  })
}

const bySubject = 'The users of an app are named by their subject, not by their user name'

/**
 * Finds the user that the command names. An app's own user is named by the subject, because only
 * the app knows more.
 */
async function findUser(
  { operand, clock, ofUser }: Call<Options>,
  database: Database,
  feed: EventFeed,
): Promise<{ readonly id: string; readonly username: string; readonly hasAccount: boolean }> {
  if (await hasAppUsers(database)) return { id: operand, username: operand, hasAccount: false }
  const user = await createUsers(database, feed, clock, { ofUser }).findByLogin(operand)
  if (!user) throw new ConfigurationError(`there is no user ${operand}`)
  return { ...user.publicUser, hasAccount: true }
}

/** A notice without an IP address has no parameters to encrypt. */
function noSeal(): never {
  throw new Error('the notice of a command must have no parameters')
}
