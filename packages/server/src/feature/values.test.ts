import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type * as z from 'zod'
import { clockMarginMilliseconds } from './clean-up.ts'
import { minuteMilliseconds, secondMilliseconds } from './limit-rate.ts'
import {
  daySeconds,
  filledString,
  onOrOff,
  parseBoolean,
  parseList,
  parseWholeNumber,
  seconds,
  trueOrFalse,
  wholeNumber,
} from './values.ts'

const messagesOf = (schema: z.ZodType, value: unknown): readonly string[] =>
  schema.safeParse(value).error?.issues.map(({ message }) => message) ?? []

describe('the units of time', () => {
  it('a day has 86,400 seconds, and a minute has 60,000 milliseconds', () => {
    assert.deepEqual(
      [daySeconds, clockMarginMilliseconds, minuteMilliseconds, secondMilliseconds],
      [86_400, 86_400_000, 60_000, 1_000],
    )
  })
})

describe('the schemas that settings share', () => {
  it('each schema of a setting says what the value must be', () => {
    const count = wholeNumber(1, 9, { of: ' of cats', why: ' (RFC 1)' })
    for (const [schema, value, message] of [
      [filledString, 1, 'must be a string'],
      [filledString, '', 'must not be empty'],
      [trueOrFalse, 'true', 'must be true or false'],
      [onOrOff, true, 'must be on or off'],
      [count, 1.5, 'must be a whole number of cats from 1 to 9'],
      [count, 0, 'must be at least 1 (RFC 1)'],
      [count, 10, 'must be at most 9'],
      [wholeNumber(1, 9), 'x', 'must be a whole number from 1 to 9'],
      [wholeNumber(1, 9), 0, 'must be at least 1'],
      [seconds(1, 9), 'x', 'must be a whole number of seconds from 1 to 9'],
    ] as const)
      assert.deepEqual(messagesOf(schema, value), [message])
    for (const [schema, value] of [
      [filledString, 'x'],
      [trueOrFalse, false],
      [onOrOff, 'on'],
      [onOrOff, 'off'],
      [count, 1],
      [count, 9],
    ] as const)
      assert.deepEqual(messagesOf(schema, value), [])
  })
})

describe('the parsers that settings share', () => {
  it('parseWholeNumber reads up to nine digits, and nothing else', () => {
    assert.deepEqual(['0', '42', '999999999'].map(parseWholeNumber), [0, 42, 999_999_999])
    for (const text of ['', '1000000000', '-1', '1.5', '1e3', ' 1', '1 ', 'x'])
      assert.throws(() => parseWholeNumber(text), new TypeError('must be a whole number'))
  })

  it('parseBoolean reads true and false, and nothing else', () => {
    assert.deepEqual(['true', 'false'].map(parseBoolean), [true, false])
    for (const text of ['', 'TRUE', '1'])
      assert.throws(() => parseBoolean(text), new TypeError('must be true or false'))
  })

  it('parseList splits a text at its commas; `none` alone stands for an empty list', () => {
    assert.deepEqual(parseList('a, b ,c'), ['a', 'b', 'c'])
    assert.deepEqual(parseList('none'), [])
    assert.deepEqual(parseList('none,a'), ['none', 'a'])
  })
})
