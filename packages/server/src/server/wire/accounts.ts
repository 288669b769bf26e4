import type { Clock, Logger } from 'keystile/internal'
import type { Meter } from '../../feature/metric.ts'
import { hashSeconds } from '../../features/credentials/password/feature.ts'
import {
  openHashThreads,
  type HashThreads,
} from '../../features/credentials/password/hash-threads.ts'
import type { HashingCost } from '../../features/credentials/password/hashing-cost.ts'
import { createPasswords, type Passwords } from '../../features/credentials/password/password.ts'
import {
  watchHashThreads,
  type WatchedHashThreads,
} from '../../features/credentials/password/watched-hash-threads.ts'
import type { Notices } from '../../features/mail/messages/notices.ts'
import { createAudit, type Audit } from '../../features/operations/audit/audit.ts'
import { createClients, type Clients } from '../../features/tokens/clients/clients.ts'
import { openEventFeed, type EventFeed } from '../../features/tokens/events/events.ts'
import { createUsers, type Users } from '../../features/users/accounts/users.ts'
import type { Database } from '../../storage/database.ts'
import { openDatabase } from '../../storage/open.ts'
import type { Pool } from '../../storage/postgres-client.ts'
import { ofUser } from '../commands.ts'
import type { AuditEventName } from '../features.ts'

/** A database with its accounts and clients, and the threads that hash passwords. */
export interface Accounts {
  readonly database: Database
  readonly feed: EventFeed
  readonly users: Users
  readonly hashThreads: WatchedHashThreads
  readonly passwords: Passwords
  readonly clients: Clients
  readonly audit: Audit<AuditEventName>
  close(): Promise<void>
}

/** For tests, which start hundreds of servers in one process: these can share their threads. */
export interface ThreadOptions {
  readonly openThreads?: () => HashThreads
}

/**
 * Opens the database with its accounts and clients, and starts the threads that hash passwords.
 *
 * @throws {Error} when the database cannot be opened
 */
export async function openAccounts(
  source: string | Pool,
  options: ThreadOptions & {
    readonly logger: Logger
    readonly clock: Clock
    readonly passwordHashing: HashingCost
    readonly notices: Notices
  },
  meter: Meter,
): Promise<Accounts> {
  const { logger, clock, passwordHashing, notices, openThreads = openHashThreads } = options
  const database = await openDatabase(source, new URL(import.meta.resolve('#writer-thread')))
  try {
    const feed = await openEventFeed(database, { clock, logger })
    const hashThreads = watchHashThreads(openThreads(), {
      onHash: (seconds) => meter.observe(hashSeconds, {}, seconds),
    })
    const close = async (): Promise<void> => {
      await hashThreads.close()
      await feed.close()
      await database.close()
    }

    let closing: Promise<void> | undefined
    return {
      database,
      feed,
      users: createUsers(database, feed, clock, { ofUser, notices }),
      hashThreads,
      passwords: createPasswords(hashThreads, passwordHashing),
      clients: createClients(database, feed, clock),
      audit: createAudit(database, clock),
      close: () => (closing ??= close()),
    }
  } catch (error) {
    await database.close()
    throw error
  }
}
