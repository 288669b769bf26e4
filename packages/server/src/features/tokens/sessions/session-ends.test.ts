import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { ofUser } from '../../../server/commands.ts'
import { inTables, type Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator as by } from '../../operations/audit/by.ts'
import type { AuditTables } from '../../operations/audit/tables.ts'
import { createFinishRestore } from '../../operations/backup/store.ts'
import { startLogin } from '../../sign-in/login/store.ts'
import { openEventFeed, type EventFeed } from '../events/events.ts'
import { createSessionEnds, type SessionEnds } from './session-ends.ts'

const now = Date.UTC(2026, 10, 25)
const clock = { now: () => now }

describe('createSessionEnds', () => {
  let database: Database
  let feed: EventFeed
  let ends: SessionEnds
  /** How the events of ended sessions were read. */
  const reads: string[] = []
  // One database for all tests, so each test has users and sessions of its own.
  before(async () => {
    const thread = new URL('../../../server/writer-thread.ts', import.meta.url)
    database = await openDatabase(':memory:', thread)
    feed = await openEventFeed(database, { clock, logger: silentLogger })
    const noted: EventFeed = {
      ...feed,
      tail: () => (reads.push('tail'), feed.tail()),
      hasten: () => (reads.push('hasten'), feed.hasten()),
    }
    const listDisabledClients = async () => ['disabled']
    ends = createSessionEnds(database, { feed: noted, clock, listDisabledClients })
  })
  after(async () => {
    await feed.close()
    await database.close()
  })

  /** Starts a session of an app's own user. */
  async function start(id: string, subject: string, clientId = 'c', at = now): Promise<void> {
    const session = {
      id,
      subject,
      client_id: clientId,
      scopes: '[]',
      device: null,
      created_at: at,
      expires_at: now + 900_000,
      idle_expires_at: now + 300_000,
      tokens_expire_at: now + 60_000,
      amr: null,
      authenticated_at: null,
    }
    const wanted = { subject, clientId, scopes: [], refreshes: true, by }
    const rows = { session, refreshToken: undefined, by }
    const login = { wanted, ...rows, hasAccount: false, recordedUntil: undefined }
    assert.ok((await database.write(startLogin, login)).started)
  }
  const isRevoked = (sessionId: string): boolean =>
    feed.revocations.isRevoked({ subject: '', clientId: 'c', sessionId })
  const listIds = async (subject: string): Promise<readonly string[]> =>
    (await ends.list(subject)).map(({ id }) => id)
  /** Returns the audit events about a user, without the logins. */
  const auditOf = async (subject: string): Promise<readonly string[]> => {
    const rows = inTables<AuditTables>(database.reader).selectFrom('audit').select('event')
    const all = await rows.where('event', '!=', 'login').where('subject', '=', subject).execute()
    return all.map(({ event }) => event)
  }

  it('list() returns sessions by their last use, without those of disabled clients', async () => {
    await start('s1', 'ada', 'c', now - 2)
    await start('s2', 'ada', 'disabled', now - 1)
    await start('s3', 'ada', 'c', now)
    await start('s4', 'bob')
    assert.deepEqual(await listIds('ada'), ['s3', 's1'])
  })

  it('end() ends a session of the given user, and returns false if there is none', async () => {
    reads.length = 0
    await start('s5', 'eve')
    assert.equal(await ends.end('s5', by, 'dan'), false)
    assert.equal(isRevoked('s5'), false)
    assert.equal(await ends.end('s5', by, 'eve'), true)
    assert.equal(isRevoked('s5'), true)
    assert.equal(await ends.end('s5', by), false)
    // Another process may have ended the session, so a read is needed after `false`.
    assert.deepEqual(reads, ['tail', 'hasten', 'tail'])
    assert.deepEqual(await auditOf('eve'), ['session_ended'])
  })

  it('endAll() ends all sessions of a user, with one audit entry if there are any', async () => {
    for (const id of ['s6', 's7']) await start(id, 'sam')
    await start('s8', 'tom')
    for (let call = 1; call <= 2; call++) {
      await ends.endAll('sam', { by })
      assert.deepEqual(await auditOf('sam'), ['sessions_ended'])
    }
    assert.deepEqual(['s6', 's7', 's8'].map(isRevoked), [true, true, false])
  })

  it('after a restore, all sessions end, whatever their ids begin with', async () => {
    const ids = ['-', '0', 'A', 'Z', '_', 'a', 'z']
    for (const id of ids) await start(id, 'kim')
    const values = { keepsSessions: false, offered: undefined, by, now }
    assert.ok(
      (await database.write(createFinishRestore(ofUser), values)).sessionsEnded >= ids.length,
    )
    assert.ok(ids.every(isRevoked))
  })

  it('an id that is not well-formed Unicode finds no session', async () => {
    // SQLite would store this id as \ufffd.
    await start('\ufffd', '\ufffd')
    assert.deepEqual(await listIds('\ud800'), [])
    assert.equal(await ends.end('\ud800', by), false)
    await ends.endAll('\ud800', { by })
    assert.deepEqual(await listIds('\ufffd'), ['\ufffd'])
  })
})
