import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { auditEvents } from '../../../server/features.ts'

describe('docs/guides/audit.md', () => {
  it('docs/guides/audit.md explains every audit event, and no others', () => {
    const page = readFileSync(
      join(import.meta.dirname, '../../../../../../docs/guides/audit.md'),
      'utf8',
    )
    const [, table = ''] = page.split('| event | is recorded when |')
    const explained = table
      .split('\n\n', 1)
      .join()
      .split('\n')
      .flatMap((row) =>
        Array.from((row.split('|')[1] ?? '').matchAll(/`(\w+)`/g), ([, event = '']) => event),
      )
    assert.deepEqual(explained.toSorted(), auditEvents.toSorted())
  })
})
