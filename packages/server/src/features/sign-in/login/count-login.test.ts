import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { noLimits, type Limits } from '../../operations/limits/limits.ts'
import { useOf, type Use } from '../../operations/limits/uses.ts'
import { nameRate } from '../../users/directory/rates.ts'
import type { Device, Devices } from '../known-devices/devices.ts'
import { countLogin } from './count-login.ts'
import { addressRate, deviceRate } from './feature.ts'

const address = '192.0.2.1'
const ofDevice = useOf(deviceRate, 's1')
const ofName = useOf(nameRate, 'ada')
const ofAddress = useOf(addressRate, address)

describe('countLogin', () => {
  let counted: Use[]
  beforeEach(() => void (counted = []))

  const device: Device = {
    id: 's1',
    appId: 's1',
    appSince: undefined,
    rememberedId: undefined,
    account: 'a',
    isOf: () => true,
  }
  const devices: Devices = {
    open: (secret) => (secret === undefined ? undefined : device),
    make: () => undefined,
  }

  /** Returns the uses that a login spends, and whether its device is known. */
  async function count(
    deviceSecret: string | undefined,
    {
      isOwn = true,
      exhausted = [],
    }: { readonly isOwn?: boolean; readonly exhausted?: readonly Use[] } = {},
  ): ReturnType<typeof countLogin> {
    const limits: Limits = {
      ...noLimits,
      async count(uses) {
        counted.push(...uses)
        return { uses, at: 0 }
      },
      async tryCount(uses) {
        counted.push(...uses)
        return exhausted.some(({ key }) => uses.some((use) => use.key === key))
          ? undefined
          : { uses, at: 0 }
      },
      usesAt: (rate, from) => (from === undefined ? [] : [useOf(rate, from)]),
    }
    const login = {
      name: 'ada',
      address,
      deviceSecret,
      patienceMilliseconds: 0,
      isOwn: async () => isOwn,
    }
    return countLogin(login, { limits, devices })
  }
  const spentBy = async (...login: Parameters<typeof count>): Promise<readonly Use[]> =>
    (await count(...login)).spent.uses

  it('a login is from a known device only if the device belongs to the account', async () => {
    assert.notEqual((await count('secret')).deviceId, undefined)
    assert.equal((await count('secret', { isOwn: false })).deviceId, undefined)
  })

  it('a login from an unknown device uses the rate limits of name and IP address', async () => {
    assert.deepEqual(await spentBy(undefined), [ofName, ofAddress])
    assert.deepEqual(counted, [ofName, ofAddress])
  })

  it('a login from a known device of the account uses only the device’s rate limit', async () => {
    assert.deepEqual(await spentBy('secret'), [ofDevice])
    assert.deepEqual(counted, [ofDevice])
  })

  it('a login from another account’s device uses limits of name, address and device', async () => {
    assert.deepEqual(await spentBy('secret', { isOwn: false }), [ofName, ofAddress, ofDevice])
  })

  it('if a device’s rate limit is exhausted, a login uses limits of name and address', async () => {
    assert.deepEqual(await spentBy('secret', { exhausted: [ofDevice] }), [ofName, ofAddress])
  })
})
