import assert from 'node:assert/strict'
import { it } from 'node:test'
import { silentLogger } from './log.ts'

it('silentLogger accepts messages at every level and prints nothing', () => {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    assert.equal(silentLogger[level]({ user: 'ada' }, 'logged in'), undefined)
  }
})
