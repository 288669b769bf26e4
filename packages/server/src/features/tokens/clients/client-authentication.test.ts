import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { OAuthError, readWebRequest, type OAuthErrorCode } from 'keystile/internal'
import { hashSecret } from '../../../base/secret.ts'
import type { AuditEntry } from '../../operations/audit/entry.ts'
import { noLimits, type Limits } from '../../operations/limits/limits.ts'
import type { Use } from '../../operations/limits/uses.ts'
import { authenticateClient, refusalsAt } from './client-authentication.ts'
import { firstParty, type Client } from './clients.ts'

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

const clientOf = (id: string): Client => ({
  id,
  grants: [],
  scopes: [],
  may: [],
  firstParty: false,
  mayEnrol: false,
})
const registered = new Map([
  ['orders', { client: clientOf('orders'), secretHash: hashSecret('a % secret: with+all') }],
  ['spa', { client: clientOf('spa'), secretHash: undefined }],
])
const orders = registered.get('orders')!.client
const spa = registered.get('spa')!.client

const clients = { find: async (id: string) => registered.get(id) }

const recorded: Omit<AuditEntry, 'at'>[] = []
const counted: Use[] = []
beforeEach(() => {
  recorded.splice(0)
  counted.splice(0)
})

function authenticate(
  authorization: string | undefined,
  form: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const headers = authorization === undefined ? {} : { authorization }
  const request = readWebRequest(
    new Request('https://auth.example/token', { headers }),
    '192.0.2.1',
  )
  const audit = { record: async (entry: Omit<AuditEntry, 'at'>) => void recorded.push(entry) }
  const limits: Pick<Limits, 'count'> = {
    async count(uses) {
      counted.push(...uses)
      return { uses, at: 0 }
    },
  }
  return authenticateClient(request, new Map(Object.entries(form)), { clients, audit, limits })
}

async function refuses(
  code: OAuthErrorCode,
  authorization: string | undefined,
  form: Readonly<Record<string, string>> = {},
): Promise<void> {
  await assert.rejects(
    authenticate(authorization, form),
    (error) => error instanceof OAuthError && error.code === code,
    `${authorization} ${JSON.stringify(form)}`,
  )
}

describe('authenticateClient', () => {
  it('a request without client credentials belongs to the client `first-party`', async () => {
    for (const authorization of [
      undefined,
      'Basic Og==',
      'basic Og',
      basic(':'),
      'Bearer x',
      'Basic2 x',
    ])
      assert.equal(await authenticate(authorization), firstParty)
  })

  it('authenticateClient accepts the client `first-party` by id, without a secret', async () => {
    const named = { client_id: 'first-party' }
    assert.equal(await authenticate(undefined, named), firstParty)
    assert.equal(await authenticate(basic('first-party:')), firstParty)
    assert.equal(await authenticate(basic('first%2Dparty:')), firstParty)
    assert.equal(await authenticate(basic('first-party:'), named), firstParty)
  })

  it('authenticateClient refuses an unknown id, and a public client with a secret', async () => {
    for (const text of ['other:', 'first-party:x', ':x', 'First-Party:', 'first-party::'])
      await refuses('invalid_client', basic(text))
    for (const form of [
      { client_id: 'other' },
      { client_id: 'first-party', client_secret: 'x' },
      { client_secret: 'x' },
    ])
      await refuses('invalid_client', undefined, form)
  })

  it('authenticateClient throws invalid_client for a malformed Basic header', async () => {
    const bad = ['', ' !', ' Og==x', ' Oh==', ' O g=='].map((value) => `Basic${value}`)
    for (const authorization of [...bad, basic('first-party'), basic('%:'), basic(':%')]) {
      await refuses('invalid_client', authorization)
      await assert.rejects(authenticate(authorization), /must be Basic and base64/, authorization)
    }
  })

  it('authenticateClient accepts a confidential client’s secret (RFC 6749 §2.3.1)', async () => {
    const encoded = `orders:${encodeURIComponent('a % secret: with+all')}`
    for (const text of [encoded, encoded.replaceAll('%20', '+')])
      assert.equal(await authenticate(basic(text)), orders)
    const inBody = { client_id: 'orders', client_secret: 'a % secret: with+all' }
    assert.equal(await authenticate(undefined, inBody), orders)
    assert.equal(await authenticate(basic(encoded), { client_id: 'orders' }), orders)
  })

  it('authenticateClient refuses a confidential client without its correct secret', async () => {
    for (const text of ['orders:', 'orders:x', `orders:${hashSecret('a % secret: with+all')}`])
      await refuses('invalid_client', basic(text))
    await refuses('invalid_client', undefined, { client_id: 'orders' })
    await refuses('invalid_client', undefined, { client_id: 'orders', client_secret: 'x' })
  })

  it('authenticateClient accepts a public client only if it sends no secret', async () => {
    assert.equal(await authenticate(undefined, { client_id: 'spa' }), spa)
    assert.equal(await authenticate(basic('spa:')), spa)
    await refuses('invalid_client', undefined, { client_id: 'spa', client_secret: 'x' })
  })

  it('authenticateClient throws invalid_request for two credentials (RFC 6749 §2.3)', async () => {
    await refuses('invalid_request', basic('first-party:'), { client_secret: 'x' })
    await refuses('invalid_request', basic('first-party:'), { client_id: 'other' })
    await refuses('invalid_request', basic(':'), { client_id: 'first-party' })
    await refuses('invalid_request', basic('spa:'), {
      client_id: 'orders',
      client_secret: 'a % secret: with+all',
    })
  })

  it('the audit line about a refused client contains no secret and no unknown id', async () => {
    await refuses('invalid_client', basic('first-party:hunter2'))
    await refuses('invalid_client', basic('orders:hunter2'))
    await refuses('invalid_client', basic('hunter2:'))
    await refuses('invalid_client', 'Basic hunter2')
    const line = { event: 'client_refused', by: { actor: 'nobody', address: '192.0.2.1' } }
    assert.deepEqual(recorded, [
      { ...line, clientId: 'first-party' },
      { ...line, clientId: 'orders' },
      { ...line, clientId: undefined },
      { ...line, clientId: undefined },
    ])
  })

  it('only refused clients count towards the rate limit of their IP address', async () => {
    await authenticate(basic('spa:'))
    await authenticate(undefined)
    assert.deepEqual(counted, [])
    await refuses('invalid_client', basic('spa:x'))
    assert.deepEqual(counted, refusalsAt('192.0.2.1'))
  })

  it('authenticateClient rejects if the audit line about a refusal cannot be written', async () => {
    const audit = { record: () => Promise.reject(new Error('away')) }
    const headers = { authorization: basic('other:') }
    const request = readWebRequest(new Request('https://auth.example/token', { headers }))
    await assert.rejects(
      authenticateClient(request, new Map(), { clients, audit, limits: noLimits }),
      /away/,
    )
  })
})
