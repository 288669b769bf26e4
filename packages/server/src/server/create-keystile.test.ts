import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKeystile } from './create-keystile.ts'

describe('createKeystile', () => {
  it('createKeystile refuses an old version of Node before it checks the options', async (t) => {
    const { versions } = process
    const pretend = (value: NodeJS.ProcessVersions): void =>
      void Object.defineProperty(process, 'versions', { value, configurable: true })
    t.after(() => pretend(versions))
    pretend({ ...versions, node: '24.14.9' })
    await assert.rejects(createKeystile({ issuer: 'x', database: 'x' }), {
      name: 'ConfigurationError',
      message: /^@keystile\/server: Node must be 24\.15 or newer; it is 24\.14\.9/,
    })
  })
})
