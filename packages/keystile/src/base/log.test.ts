import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isLogger, errorLogger, silentLogger } from './log.ts'

it('silentLogger accepts messages at every level and prints nothing', () => {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    assert.equal(silentLogger[level]({ user: 'ada' }, 'logged in'), undefined)
  }
})

it('errorLogger prints an error with its fields, and nothing else', ({ mock }) => {
  const printed = mock.method(console, 'error', () => {}).mock
  for (const level of ['debug', 'info', 'warn', 'error'] as const)
    errorLogger[level]({ level }, 'the feed ended')
  assert.deepEqual(
    printed.calls.map((call) => call.arguments),
    [['keystile: the feed ended', { level: 'error' }]],
  )
})

it('a logger has four methods', () => {
  assert.ok(isLogger(silentLogger))
  const { debug: _, ...others } = silentLogger
  for (const value of [others, { ...others, debug: 'on' }, {}, null, undefined, () => {}])
    assert.ok(!isLogger(value))
})
