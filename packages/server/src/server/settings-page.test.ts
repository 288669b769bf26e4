import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { writeSettings } from '../../../../tools/settings-page.ts'

describe('docs/reference/settings.md', () => {
  it('docs/reference/settings.md equals what tools/settings-page.ts writes', () => {
    const page = readFileSync(
      join(import.meta.dirname, '../../../../docs/reference/settings.md'),
      'utf8',
    )
    assert.equal(page, writeSettings(page), 'run: node --conditions=source tools/settings-page.ts')
  })
})
