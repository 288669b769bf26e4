import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Setting } from '../../../feature/setting.ts'
import { feature } from './feature.ts'
import type { HashingCost } from './hashing-cost.ts'

describe('the setting passwordHashing', () => {
  const [setting] = feature.settings as readonly Setting<string, HashingCost>[]

  it('passwordHashing is read from a text such as m=19456,t=2, and from no other text', () => {
    const cost = { memoryKiB: 123_456_789, passes: 987_654_321 }
    assert.deepEqual(setting?.parse?.('m=123456789,t=987654321'), cost)
    const others = ['', 'm=1', 't=2', 'm=,t=2', 'm=1,t=', 'm=x,t=2', ' m=1,t=2', 'm=1,t=2 ']
    for (const text of [...others, 'm=1234567890,t=2', 'm=1,t=1234567890'])
      assert.throws(
        () => setting?.parse?.(text),
        /^TypeError: must have the form m=19456,t=2/,
        text,
      )
  })
})

describe('keystile tune', () => {
  it('`keystile tune` reads no settings, so that it runs before there are any', () =>
    assert.equal(feature.cliCommands?.[0]?.takesSettings, false))
})
