import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findNodeFault, requireNode } from './node-version.ts'

describe('requireNode', () => {
  it('requireNode accepts Node 24.15 and all newer versions', () => {
    for (const version of ['24.15.0', '24.16.1', '25.0.0', '100.2.3'])
      assert.equal(findNodeFault(version), undefined, version)
  })

  it('requireNode refuses versions of Node before 24.15, and says what to install', () => {
    for (const version of ['24.14.9', '23.20.0', '9.15.0'])
      assert.throws(() => requireNode(version), {
        name: 'ConfigurationError',
        message:
          `@keystile/server: Node must be 24.15 or newer; it is ${version}. ` +
          'Fix: install a newer version from https://nodejs.org',
      })
  })
})
