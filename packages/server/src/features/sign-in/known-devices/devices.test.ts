import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSeal } from '../../../base/seal.ts'
import { hashSecret } from '../../../base/secret.ts'
import { inTables } from '../../../storage/database.ts'
import { openDatabase } from '../../../storage/open.ts'
import { createDevices, openDevices } from './devices.ts'
import type { KnownDeviceTables } from './tables.ts'

describe('createDevices', () => {
  let now = 1_000
  const clock = { now: () => now }
  const devices = createDevices('a key', clock)
  const login = { subject: 'ada', passwordMark: 'mark', sessionId: 's1' }
  const made = (): string => devices.make(login)!

  it('a device secret is valid only for the user and the password of its login', () => {
    const device = devices.open(made())!
    assert.ok(device.isOf({ subject: 'ada', passwordMark: 'mark' }))
    for (const [subject, passwordMark] of [
      ['bob', 'mark'],
      ['ada', 'other'],
      ['ada', undefined],
      ['', ''],
      ['adamark', ''],
    ] as const)
      assert.ok(!device.isOf({ subject, passwordMark }))
    assert.equal(device.id, 's1')
  })

  it('if a session changes the password, only device secrets of this session stay valid', () => {
    const device = devices.open(made())!
    const isOf = (passwordSession?: string): boolean =>
      device.isOf({ subject: 'ada', passwordMark: 'other', passwordSession })
    assert.deepEqual(['s1', 's2', '', undefined].map(isOf), [true, false, false, false])
  })

  it('all device secrets of an account name the same account, also after a new password', () => {
    const accountOf = (changed: object): string | undefined =>
      devices.open(devices.make({ ...login, ...changed }))?.account
    const account = accountOf({})
    assert.equal(accountOf({ sessionId: 's2', passwordMark: 'other' }), account)
    assert.notEqual(accountOf({ subject: 'bob' }), account)
    assert.ok(account && !account.includes('ada'))
  })

  it('a device secret is valid for 400 days', () => {
    const secret = made()
    now += 400 * 24 * 60 * 60_000 - 1
    assert.ok(devices.open(secret))
    now += 1
    assert.equal(devices.open(secret), undefined)
  })

  it('devices.open refuses a secret that was made with another key or for another purpose', () => {
    const text = JSON.stringify(['id', now + 1_000, 'x'])
    const older = devices.open(createSeal('a key', 'device secrets').seal(text, ''))
    assert.equal(older?.account, 'x')
    for (const secret of [
      undefined,
      '',
      'x'.repeat(100),
      createDevices('another key', clock).make(login),
      createSeal('a key', 'signing keys').seal(text, ''),
      'x'.repeat(1_001),
    ])
      assert.equal(devices.open(secret), undefined)
  })

  it('a remembered device is found by the hash of a secret, which a copy of the rows lacks', () => {
    const idOf = (secret?: string): string | undefined =>
      devices.open(devices.make({ ...login, secret }))?.rememberedId
    const id = idOf('a secret')
    assert.equal(id, hashSecret('a secret'))
    assert.notEqual(idOf(id), id)
    assert.equal(idOf(), undefined)
  })

  it('a device secret does not reveal its user', () => {
    assert.ok(!Buffer.from(made(), 'base64url').includes('ada'))
    assert.ok(made().length < 250)
  })
})

describe('openDevices', () => {
  it('all processes that use a database share its key for device secrets', async () => {
    const writerThread = new URL('../../../server/writer-thread.ts', import.meta.url)
    const database = await openDatabase(':memory:', writerThread)
    try {
      const clock = { now: () => 1_000 }
      const [one, other] = [await openDevices(database, clock), await openDevices(database, clock)]
      const secret = one.make({ subject: 'ada', passwordMark: 'mark', sessionId: 's1' })
      assert.equal(other.open(secret)?.id, 's1')
      const stored = await inTables<KnownDeviceTables>(database.reader)
        .selectFrom('setting')
        .where('name', '=', 'device_key')
        .select('value')
        .execute()
      assert.equal(stored.length, 1)
    } finally {
      await database.close()
    }
  })
})
