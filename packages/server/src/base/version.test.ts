import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readVersion } from './version.ts'

describe('readVersion', () => {
  it('readVersion returns the version in package.json', () => {
    const file = join(import.meta.dirname, '../../package.json')
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
    assert.equal(readVersion(), version)
  })
})
