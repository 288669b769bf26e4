import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { createIssuing } from '../../../../test-support/issuing.ts'
import { ofUser } from '../../../server/commands.ts'
import { inTables, type Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { prepareMail } from '../../mail/outbox/new-mail.ts'
import type { OutboxTables } from '../../mail/outbox/tables.ts'
import { byOperator as by } from '../../operations/audit/by.ts'
import { openEventFeed, type EventFeed } from '../../tokens/events/events.ts'
import { createDeleteUser } from '../../users/accounts/deletion-store.ts'
import { changePassword } from '../../users/accounts/store.ts'
import { createUsers } from '../../users/accounts/users.ts'
import { parseEmail, parseUsername } from '../../users/directory/names.ts'
import { beginApp, confirmApp, removeFactors, renewRecoveryCodes } from '../factors/store.ts'
import { openLoginStarter } from './login-starter.ts'

const madeAt = Date.UTC(2026, 10, 25)
const tenMinutes = 10 * 60 * 1000
const auditSeconds = 90 * 24 * 60 * 60

describe('startLogin', () => {
  let database: Database
  let feed: EventFeed
  let now: number
  const clock = { now: () => now }
  beforeEach(async () => {
    now = madeAt
    const thread = new URL('../../../server/writer-thread.ts', import.meta.url)
    database = await openDatabase(':memory:', thread)
    feed = await openEventFeed(database, { clock, logger: silentLogger })
  })
  afterEach(async () => {
    await feed.close()
    await database.close()
  })

  const openStarter = (issuing = createIssuing()): ReturnType<typeof openLoginStarter> =>
    openLoginStarter(database, { issuing, clock, auditSeconds })

  /** Sets up an app of a user, with recovery codes. */
  async function setUpApp(subject: string, codeIds: readonly string[] = []): Promise<void> {
    const pending = { subject, sessionId: 's', sealed: 'x', now, hasAccount: true, by }
    await database.write(beginApp, pending)
    const noticeTo = { email: undefined, isVerified: false }
    const change = { subject, hasAccount: true, notice: undefined, noticeTo, by, now }
    const confirmed = {
      ...change,
      sealed: 'x',
      step: 1,
      codeIds,
      replacement: undefined,
      undo: undefined,
    }
    assert.deepEqual(await database.write(confirmApp, confirmed), { outcome: 'confirmed' })
  }

  /** Logs a user in. Returns the recipients of all stored notices. */
  async function noticesAfter(
    subject: string,
    { hasAccounts = true, hasNotice = true, email = 'own@example.com' } = {},
  ): Promise<readonly string[]> {
    const issuing = { ...createIssuing(), hasAccounts }
    const kind = { template: 'new_device', lifetimeMilliseconds: tenMinutes }
    const notice = hasNotice ? prepareMail(kind, undefined, now) : undefined
    const noticeTo = { email, isVerified: false }
    const login = { subject, clientId: 'c', scopes: [], refreshes: true, by, notice, noticeTo }
    const starter = await openStarter(issuing)
    assert.ok(await starter.start(login))
    const mails = inTables<OutboxTables>(database.reader).selectFrom('mail').select('recipient')
    return (await mails.orderBy('id').execute()).map(({ recipient }) => recipient)
  }
  async function addUser(): Promise<string> {
    const created = await createUsers(database, feed, clock, { ofUser }).create(
      {
        username: parseUsername('ada')!,
        email: parseEmail('ada@example.com'),
        passwordHash: 'hash',
        scopes: [],
        roles: [],
        profile: {},
      },
      by,
    )
    assert.ok('user' in created)
    return created.user.publicUser.id
  }

  it('a login stores its notice only if the account was made over ten minutes ago', async () => {
    const subject = await addUser()
    now = madeAt + tenMinutes - 1
    assert.deepEqual(await noticesAfter(subject), [])
    now = madeAt + tenMinutes + 1
    assert.deepEqual(await noticesAfter(subject, { hasNotice: false }), [])
    assert.deepEqual(await noticesAfter(subject), ['ada@example.com'])
  })

  it('a login without the factor that the user has just set up starts no session', async () => {
    const subject = await addUser()
    await setUpApp(subject)
    const starter = await openStarter()
    const login = { subject, clientId: 'c', scopes: [], refreshes: true, by }
    assert.equal(await starter.start({ ...login, amr: ['pwd'] }), undefined)
    assert.equal(await starter.start(login), undefined)
    assert.ok(await starter.start({ ...login, amr: ['pwd', 'otp', 'mfa'] }))
  })

  it('a step-up with a factor alone starts no session if a factor is newer by then', async () => {
    const subject = await addUser()
    const starter = await openStarter()
    // The set-up of an app ends other sessions, so here it comes before this one.
    await setUpApp(subject)
    now -= 1
    const amr = ['pwd', 'otp', 'mfa']
    const login = { subject, clientId: 'c', scopes: [], refreshes: true, by, amr }
    const { sessionId: id } = (await starter.start(login))!
    now += 1
    const stepUp = (needsOlderFactor: boolean): ReturnType<typeof starter.start> =>
      starter.start({ ...login, replaces: { id, expiresAt: undefined, needsOlderFactor } })
    assert.equal(await stepUp(true), undefined)
    assert.ok(await stepUp(false))
  })

  it('a login makes a device known for codes only if it proved the app, whatever its amr', async () => {
    const subject = await addUser()
    await setUpApp(subject)
    const starter = await openStarter()
    const amr = ['pwd', 'otp', 'mfa']
    const login = { subject, clientId: 'c', scopes: [], refreshes: true, by, amr }
    assert.equal((await starter.start(login))?.appSince, undefined)
    assert.equal((await starter.start({ ...login, provesApp: true }))?.appSince, now)
  })

  it('a login starts no session if the address was changed after its code', async () => {
    const subject = await addUser()
    const starter = await openStarter()
    const login = { subject, clientId: 'c', scopes: [], refreshes: true, by }
    const withCode = (email_code: string): Parameters<typeof starter.start>[0] => ({
      ...login,
      marks: { email_code },
    })
    assert.equal(await starter.start(withCode('old@example.com')), undefined)
    assert.ok(await starter.start(withCode('ada@example.com')))
  })

  it('a login that starts no session has spent no code, whatever was proved first', async () => {
    const subject = await addUser()
    await setUpApp(subject, ['code'])
    const starter = await openStarter()
    const login = { subject, clientId: 'c', scopes: [], refreshes: true, by }
    const start = (marks: Readonly<Record<string, string>>): ReturnType<typeof starter.start> =>
      starter.start({ ...login, amr: ['pwd', 'otp', 'mfa'], marks })
    const proof = { recovery_code: 'code' }
    assert.equal(await start({ ...proof, email_code: 'old@example.com' }), undefined)
    assert.ok(await start({ ...proof, email_code: 'ada@example.com' }))
    assert.equal(await start(proof), undefined, 'the code works once')
  })

  it('a proof that nothing compares with the account is a bug, and starts no session', async () => {
    const subject = await addUser()
    const starter = await openStarter()
    const login = { subject, clientId: 'c', scopes: [], refreshes: true, by }
    await assert.rejects(
      starter.start({ ...login, marks: { toString: '' } }),
      /there must be an entry for the method toString/,
    )
  })

  it('a change whose request was checked before the factor was set up is refused', async () => {
    const subject = await addUser()
    await setUpApp(subject, ['code'])
    const noticeTo = { email: undefined, isVerified: false }
    const weak = { actor: `user:${subject}`, acr: 'pwd' } as const
    const change = { subject, hasAccount: true, notice: undefined, noticeTo, by: weak, now }

    const gone = { outcome: 'gone' }
    const codeIds = ['another code']
    assert.deepEqual(await database.write(renewRecoveryCodes, { ...change, codeIds }), gone)
    assert.deepEqual(await database.write(removeFactors, change), gone)
    const password = { subject, old: 'hash', hash: 'new', notice: undefined, by: weak, now }
    assert.equal(await database.write(changePassword, password), 'outdated')
    assert.equal(
      await database.write(createDeleteUser(ofUser), { subject, by: weak, now }),
      'outdated',
    )

    const strong = { ...weak, acr: 'mfa' }
    const renewed = { ...change, by: strong, codeIds }
    assert.deepEqual(await database.write(renewRecoveryCodes, renewed), { outcome: 'renewed' })
    assert.equal(await database.write(changePassword, { ...password, by: strong }), 'changed')
  })

  it('the notice about an app’s own user goes to the address that the app gives', async () => {
    await noticesAfter('own', { hasAccounts: false })
    assert.deepEqual(await noticesAfter('own', { hasAccounts: false, email: '' }), [])
    assert.deepEqual(await noticesAfter('own', { hasAccounts: false }), ['own@example.com'])
  })

  it('the first login of an app’s own user stores no notice, if the audit record proves it', async () => {
    const own = { hasAccounts: false }
    assert.deepEqual(await noticesAfter('ada', own), [], 'the first start with app users')
    now += auditSeconds * 1000 - 1
    assert.deepEqual(await noticesAfter('bob', own), [])
    now += 1
    assert.deepEqual(await noticesAfter('eve', own), ['own@example.com'])
  })
})
