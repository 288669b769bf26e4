import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import { isSecretOf } from '../../../base/secret.ts'
import { inTables, type Database } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { byOperator as by } from '../../operations/audit/by.ts'
import { openEventFeed, type EventFeed } from '../events/events.ts'
import type { EventTables } from '../events/tables.ts'
import { grants } from '../oauth/grants.ts'
import { findClientFaults } from './client-faults.ts'
import { createClients, type Clients, type NewClient } from './clients.ts'
import type { ClientTables } from './tables.ts'

const now = Date.UTC(2026, 10, 25)
const orders: NewClient = {
  id: 'orders',
  grants: ['client_credentials'],
  scopes: ['items:read'],
  may: ['introspect'],
  confidential: true,
  firstParty: false,
}

describe('findClientFaults', () => {
  const faultsOf = (fields: Partial<NewClient>): readonly string[] =>
    findClientFaults({ ...orders, ...fields }, grants)

  it('findClientFaults finds no fault in a correct client', () => {
    assert.deepEqual(faultsOf({}), [])
    assert.deepEqual(faultsOf({ grants: [], scopes: [] }), [])
    const people: Partial<NewClient> = {
      grants: ['password', 'refresh_token'],
      scopes: ['users:read'],
      may: [],
    }
    assert.deepEqual(faultsOf({ ...people, confidential: false }), [])
    assert.deepEqual(faultsOf({ ...people, grants: ['password', 'client_credentials'] }), [])
    const app: Partial<NewClient> = { ...people, grants: ['authorization_code', 'refresh_token'] }
    assert.deepEqual(faultsOf({ ...app, firstParty: true }), [])
    assert.deepEqual(faultsOf({ ...people, grants: ['password', 'authorization_code'] }), [])
  })

  it('findClientFaults returns one sentence per fault', () => {
    for (const id of ['', 'a', 'A1', 'a b', 'a:b', '-ab', 'a'.repeat(64), 'a\n']) {
      const [fault, ...others] = faultsOf({ id })
      assert.match(fault ?? '', /2 to 63 lower-case letters/, id)
      assert.deepEqual(others, [])
    }
    assert.deepEqual(faultsOf({ id: 'first-party' }), [
      'the client id must not be first-party, which is built in',
    ])
    const faulty: readonly (readonly [Partial<NewClient>, RegExp])[] = [
      [{ grants: [], scopes: [], may: [] }, /at least one grant/],
      [{ grants: ['refresh_token', 'client_credentials'] }, /must also have the grant password/],
      [{ confidential: false, may: [] }, /must have a secret/],
      [
        { confidential: false, grants: ['password'] },
        /only a confidential client may have a permission/,
      ],
      [{ grants: ['authorization_code'] }, /must be first-party/],
      [{ firstParty: true }, /a first-party client must have the grant password/],
      [{ grants: [] }, /a client with scopes must have a grant/],
      [{ scopes: ['items:read', 'users:write'] }, /only people may have these scopes/],
    ]
    for (const [fields, expected] of faulty) {
      const faults = faultsOf(fields)
      assert.equal(faults.length, 1, faults.join())
      assert.match(faults[0]!, expected)
    }
  })

  it('findClientFaults names all grants of a kind', () => {
    const known = (['login', 'refresh', 'client'] as const).flatMap((kind) => [
      { grantType: `${kind}-1`, kind },
      { grantType: `${kind}-2`, kind },
    ])
    const client = { ...orders, grants: ['refresh-2', 'client-2'], scopes: ['users:read'] }
    assert.deepEqual(findClientFaults({ ...client, confidential: false }, known), [
      'a client with the grant refresh-1, refresh-2 must also have the grant login-1 or login-2: ' +
        'client-1, client-2 issues no refresh token (RFC 6749 §4.4.3)',
      'a client with the grant client-1, client-2 must have a secret, so it must not be public ' +
        '(RFC 6749 §4.4)',
      'only a confidential client may have a permission (introspect, revocations)',
      'a client with the scope users:read or users:write must have the grant login-1 or login-2: ' +
        'only people may have these scopes',
    ])
    assert.deepEqual(findClientFaults({ ...orders, grants: [], scopes: [], may: [] }, known), [
      'a client must have at least one grant or permission (introspect, revocations)',
    ])
  })
})

describe('createClients', () => {
  let database: Database
  let feed: EventFeed
  let clients: Clients
  const clock = { now: () => now }
  beforeEach(async () => {
    database = await openDatabase(
      ':memory:',
      new URL('../../../server/writer-thread.ts', import.meta.url),
    )
    feed = await openEventFeed(database, { clock, logger: silentLogger })
    clients = createClients(database, feed, clock)
  })
  afterEach(async () => {
    await feed.close()
    await database.close()
  })
  const create = async (fields: Partial<NewClient> = {}): Promise<string | undefined> => {
    const created = await clients.create({ ...orders, ...fields }, by)
    assert.ok(created !== 'taken')
    return created.secret
  }

  it('clients.list shows which clients are public', async () => {
    await create({ id: 'page', grants: ['password'], may: [], confidential: false })
    await create()
    const listed = (await clients.list()).map(({ id, confidential }) => [id, confidential])
    assert.deepEqual(listed, [
      ['orders', true],
      ['page', false],
    ])
  })

  it('clients.find returns the registered client and only a hash of its secret', async () => {
    const secret = await create()
    const found = await clients.find('orders')
    const { confidential: _, ...client } = orders
    assert.deepEqual(found?.client, { ...client, mayEnrol: false })
    assert.ok(isSecretOf(secret!, found?.secretHash ?? ''))
    const listed = { ...orders, mayEnrol: false, active: true, createdAt: new Date(now) }
    assert.deepEqual(await clients.list(), [listed])
    assert.ok(
      !JSON.stringify(
        await inTables<ClientTables>(database.reader).selectFrom('client').selectAll().execute(),
      ).includes(secret!),
    )
  })

  it('clients.create gives a public client no secret', async () => {
    assert.equal(await create({ confidential: false }), undefined)
    assert.equal((await clients.find('orders'))!.secretHash, undefined)
    assert.equal(await clients.rotateSecret('orders', by), undefined)
    assert.equal((await clients.find('orders'))!.secretHash, undefined)
  })

  it('clients.find returns undefined for an unknown id', async () => {
    await create()
    for (const id of ['other', 'Orders', 'orders\0', '', 'first-party'])
      assert.equal(await clients.find(id), undefined, id)
  })

  it('clients.findAll finds only the active clients of a list of ids', async () => {
    await create()
    await create({ id: 'billing' })
    await create({ id: 'news' })
    await clients.disable('news', by)
    const found = await clients.findAll(['orders', 'news', 'other'])
    assert.deepEqual(found, new Map([['orders', await clients.find('orders')]]))
  })

  it('clients.create returns "taken" for the id of an enabled or disabled client', async () => {
    const secret = await create()
    assert.equal(await clients.create({ ...orders, scopes: [] }, by), 'taken')
    assert.deepEqual((await clients.find('orders'))?.client.scopes, orders.scopes)
    assert.ok(isSecretOf(secret!, (await clients.find('orders'))!.secretHash!))
    await clients.disable('orders', by)
    assert.equal(await clients.create(orders, by), 'taken')
    assert.equal(await clients.find('orders'), undefined)
  })

  it('clients.rotateSecret makes the old secret invalid', async () => {
    const old = await create()
    const secret = await clients.rotateSecret('orders', by)
    const { secretHash } = (await clients.find('orders'))!
    assert.ok(isSecretOf(secret!, secretHash!) && !isSecretOf(old!, secretHash!))
    assert.equal(await clients.rotateSecret('other', by), undefined)
  })

  it('clients.disable is permanent, and revokes all tokens of the client', async () => {
    await create()
    await create({ id: 'billing' })
    assert.equal(await clients.disable('orders', by), true)
    assert.equal(await clients.disable('orders', by), false)
    assert.equal(await clients.disable('other', by), false)
    assert.equal(await clients.find('orders'), undefined)
    assert.equal(await clients.rotateSecret('orders', by), undefined)
    assert.deepEqual(
      (await clients.list()).map(({ id, active }) => [id, active]),
      [
        ['billing', true],
        ['orders', false],
      ],
    )
    const token = { subject: 'ada', sessionId: 's' }
    assert.equal(feed.revocations.isRevoked({ ...token, clientId: 'orders' }), true)
    assert.equal(feed.revocations.isRevoked({ ...token, clientId: 'billing' }), false)
    // The event stays for the longest lifetime of a token that is issued at this moment.
    const [event] = await inTables<EventTables>(database.reader)
      .selectFrom('event')
      .selectAll()
      .execute()
    assert.ok(event!.expires_at >= now + 24 * 60 * 60 * 1000)
  })
})
