import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { tables, writeRows } from './reference-pages.ts'

for (const [name, rows] of Object.entries(tables)) {
  it(`the tables in ${name} are equal to the generated tables`, async () => {
    const page = readFileSync(join(import.meta.dirname, '..', name), 'utf8')
    assert.equal(
      page,
      writeRows(page, await rows()),
      'run: node --conditions=source tools/reference-pages.ts',
    )
  })
}
