import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from 'keystile/internal'
import type { LimitRate } from '../../../feature/limit-rate.ts'
import type { Database } from '../../../storage/database.ts'
import { createConfiguredLimits, type LimitChoice } from './configured-limits.ts'
import { noLimits } from './limits.ts'

const visits: LimitRate = { name: 'visits', burst: 1, intervalMilliseconds: 1_000 }
const database = {} as Database

describe('createConfiguredLimits', () => {
  const create = (options: Partial<LimitChoice>): ReturnType<typeof createConfiguredLimits> =>
    createConfiguredLimits(
      database,
      { rateLimits: 'on', clock: { now: () => 0 }, logger: silentLogger, ...options },
      (address) => address === '192.0.2.1',
    )
  const countsOf = (options: Partial<LimitChoice>): readonly number[] =>
    ['192.0.2.1', '192.0.2.2'].map((address) => create(options).usesAt(visits, address).length)

  it('addresses are limited only if trustedProxies is set, except those of proxies', () => {
    assert.deepEqual(countsOf({}), [0, 0])
    assert.deepEqual(countsOf({ trustedProxies: ['192.0.2.1'] }), [0, 1])
  })

  it('one warning is logged if requests come without the address of their client', () => {
    for (const [trustedProxies, address, count] of [
      [['192.0.2.1'], undefined, 1],
      [['192.0.2.1'], '192.0.2.1', 1],
      [[], undefined, 1],
      [[], '192.0.2.2', 0],
      [undefined, undefined, 0],
    ] as const) {
      const warnings: unknown[] = []
      const warn = (_details: object, message: string): unknown => warnings.push(message)
      const limits = create({ trustedProxies, logger: { ...silentLogger, warn } })
      assert.equal(limits.usesAt(visits, address).length, count === 0 && trustedProxies ? 1 : 0)
      limits.usesAt(visits, address)
      assert.equal(warnings.length, count)
      for (const warning of warnings)
        assert.match(
          String(warning),
          /^a request came without the IP address .* trusted proxy, .* Fix otherwise: .*unix:/,
        )
    }
  })

  it('if rateLimits is off, nothing is counted', () => {
    assert.equal(create({ rateLimits: 'off', trustedProxies: [] }), noLimits)
    assert.notEqual(create({}), noLimits)
  })
})
