import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { consoleLogger, describeError } from './console-logger.ts'

describe('consoleLogger', () => {
  it('consoleLogger prints warnings and errors as one line each, and nothing else', (t) => {
    const lines: unknown[] = []
    for (const method of ['debug', 'log', 'info', 'warn', 'error'] as const)
      t.mock.method(console, method, (...line: readonly unknown[]) => lines.push([method, ...line]))
    consoleLogger.debug({ a: 1 }, 'debugged')
    consoleLogger.info({ a: 1 }, 'informed')
    consoleLogger.warn({}, 'warned')
    consoleLogger.error({ a: 'x\ny', err: 'text' }, 'failed')
    assert.deepEqual(lines, [
      ['warn', 'keystile: warned'],
      ['error', String.raw`keystile: failed {"a":"x\ny","err":{"type":"string"}}`],
    ])
  })
})

describe('describeError', () => {
  it('describeError leaves out the parameters of a query, in an error and in its causes', () => {
    const cause = Object.assign(new TypeError('the cause'), { code: 'XX000', parameters: ['x'] })
    const error = Object.assign(new Error('it fails', { cause }), { code: 7 })
    assert.deepEqual(describeError(error), {
      type: 'Error',
      message: 'it fails',
      stack: error.stack,
      cause: { type: 'TypeError', message: 'the cause', stack: cause.stack, code: 'XX000' },
    })
    const { stack, ...others } = describeError(new Error('x', { cause: 'y' })) as Error
    assert.equal(typeof stack, 'string')
    assert.deepEqual(others, { type: 'Error', message: 'x' })
  })
})
