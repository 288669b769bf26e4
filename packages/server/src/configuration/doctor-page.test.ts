import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { rules } from '../server/features.ts'

describe('docs/reference/doctor.md', () => {
  it('docs/reference/doctor.md lists each rule with the code’s text for it', () => {
    const page = readFileSync(
      join(import.meta.dirname, '../../../../docs/reference/doctor.md'),
      'utf8',
    )
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split(/\s*\|\s*/).slice(1, -1))
    assert.deepEqual(
      rows,
      rules.map(({ id, standard, severity, demand }) => [`\`${id}\``, standard, severity, demand]),
    )
  })
})
