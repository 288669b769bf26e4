import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { rates } from '../../../server/features.ts'

/**
 * The names of the rates, in the order of the table. The hashed keys in the database depend on the
 * names, so the names must not change.
 */
const named = [
  'login',
  'address',
  'device',
  'factor',
  'factor-device',
  'factor-known',
  'factor-email-code',
  'factor-secret',
  'factor-enrolment',
  'proof',
  'email',
  'email-address',
  'email-server',
  'profile',
  'registration',
  'registration-server',
  'client',
  'mailbox-hour',
  'mailbox-day',
  'mailbox-reset',
  'mailbox-allowance',
  'factor-notice',
  'mail-code',
  'reset-address',
  'reset-server',
  'reset-known-server',
  'reset-account',
  'reset-confirm',
  'verification',
  'verification-confirm',
  'verification-password',
  'email-confirm',
  'factor-undo',
  'invitation',
]
const dayMilliseconds = 24 * 60 * 60_000

describe('docs/explanations/guessing.md', () => {
  it('docs/explanations/guessing.md lists each rate limit with its numbers', () => {
    const page = readFileSync(
      join(import.meta.dirname, '../../../../../../docs/explanations/guessing.md'),
      'utf8',
    )
    const [, table = ''] = page.split(/^\| what is counted \|.*\n/m)
    const [rows = ''] = table.split('\n\n', 1)
    const said = rows
      .split('\n')
      .slice(1)
      .map((row) => row.split('|').map((cell) => cell.trim()))
      .map(([, , , atOnce = '', interval = '', inADay = '']) => [
        atOnce,
        interval,
        inADay.match(/^[\d,]*\d/)?.[0],
      ])
    // One row has both limits of a mailbox: that of an hour, and that of a day.
    const rowOf = (name: string): string => (name === 'mailbox-hour' ? 'mailbox-day' : name)
    const declared = named
      .filter((name) => name !== 'mailbox-day')
      .map((name) => {
        const rate = rates.find((candidate) => candidate.name === name)
        assert.ok(rate, name)
        const { burst, intervalMilliseconds } = rate
        return [String(burst), describeInterval(intervalMilliseconds), format(inADay(rowOf(name)))]
      })
    assert.deepEqual(said, declared)
    assert.deepEqual(rates.map(({ name }) => name).toSorted(), named.toSorted())
  })
})

function inADay(name: string): number {
  const { burst, intervalMilliseconds } = rates.find((rate) => rate.name === name)!
  return burst + dayMilliseconds / intervalMilliseconds
}

function format(count: number): string {
  return count.toLocaleString('en-US')
}

function describeInterval(milliseconds: number): string {
  const seconds = milliseconds / 1_000
  if (seconds === 24 * 3_600) return '24 hours'
  if (seconds < 60) return `${seconds} seconds`
  return seconds === 60 ? '1 minute' : `${seconds / 60} minutes`
}
