import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { prepareCall } from '../../../../test-support/call.ts'
import type { Setting } from '../../../feature/setting.ts'
import { medianTime, tune, type TunedMachine } from './cli.ts'
import { feature } from './feature.ts'
import type { HashingCost } from './hashing-cost.ts'

const mebibyte = 1_048_576

/** A machine with three threads that takes a millisecond for each MiB of each pass. */
const machine: TunedMachine = {
  threads: 3,
  memory: 12_000 * mebibyte,
  measure: ({ memoryKiB, passes }) => (memoryKiB / 1024) * passes,
}
const [setting] = feature.settings as readonly Setting<string, HashingCost>[]
const [command] = feature.cliCommands!

/** Returns what `keystile tune` prints for a machine. */
function tuned(args: readonly string[], on: Partial<TunedMachine> = {}): string {
  const { call, printed } = prepareCall(command!, args)
  tune(call, { setting: setting!, defaultMilliseconds: 100 }, { ...machine, ...on })
  return printed.stdout
}

describe('tune', () => {
  it('tune prints the cost as a setting and as code, with its time and memory', () => {
    const expected =
      'KEYSTILE_PASSWORD_HASHING=m=51200,t=2\n' +
      '# in code: passwordHashing: { memoryKiB: 51200, passes: 2 }\n' +
      '# 100 ms a hash; 150 MiB when all 3 threads hash at once\n'
    assert.equal(tuned([]), expected)
    assert.equal(tuned(['--milliseconds=100']), expected)
    assert.equal(
      tuned(['--milliseconds=100', '--json']),
      '{"passwordHashing":{"memoryKiB":51200,"passes":2},"milliseconds":100}\n',
    )
  })

  it('tune accepts 10 ms and 5000 ms, and refuses every other time', () => {
    assert.match(
      tuned(['--milliseconds=10']),
      /^KEYSTILE_PASSWORD_HASHING=m=19456,t=2\n.*\n# 38 ms .*\n# longer than 10 ms: a faster hash /,
    )
    assert.match(tuned(['--milliseconds=5000']), /^KEYSTILE_PASSWORD_HASHING=m=1024000,t=4\n/)
    for (const time of ['9', '5001', '1e3', '-50', '50.0', ' 50', '50 ', ''])
      assert.throws(() => tuned([`--milliseconds=${time}`]), {
        message: '--milliseconds must be a whole number from 10 to 5000',
      })
  })

  it('tune prints no warning if a hash takes exactly the given time', () => {
    const measure = (): number => 10
    assert.doesNotMatch(tuned(['--milliseconds=10'], { measure }), /longer than/)
  })

  it('tune lets all threads together take a quarter of the memory', () => {
    const quick = { measure: () => 0.4, memory: 600 * mebibyte }
    assert.match(
      tuned([], quick),
      /^KEYSTILE_PASSWORD_HASHING=m=51200,t=81\n.*\n# 0 ms a hash; 150/,
    )
  })
})

describe('medianTime', () => {
  it('medianTime returns the third longest of five times', () => {
    const times = [30, 1, 200, 10, 2]
    let now = 1_000
    const calls = (): number => (now += times.shift()!)
    assert.equal(
      medianTime(calls, () => now),
      10,
    )
    assert.deepEqual(times, [])
  })
})
