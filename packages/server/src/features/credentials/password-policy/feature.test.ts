import assert from 'node:assert/strict'
import { it } from 'node:test'
import { feature } from './feature.ts'

it('an environment variable sets the minimum length of passwords, from 8 (NIST) to 64', () => {
  const [setting] = feature.settings ?? []
  assert.ok(setting)
  assert.deepEqual(setting.environment, ['KEYSTILE_PASSWORD_MIN_LENGTH'])
  const faultOf = (length: number): string | undefined =>
    setting.schema.safeParse(length).error?.issues[0]?.message
  assert.equal(faultOf(7), 'must be at least 8 (NIST SP 800-63B-4 §3.1.1.2)')
  assert.equal(faultOf(65), 'must be at most 64')
  assert.deepEqual([faultOf(8), faultOf(64)], [undefined, undefined])
})
