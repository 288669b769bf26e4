import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { writeReasons } from '../../../../tools/refused-page.ts'
import { tokenReasons } from '../base/token-reasons.ts'
import { explanations } from './explanations.ts'

const page = readFileSync(
  join(import.meta.dirname, '../../../../docs/reference/refused.md'),
  'utf8',
)

describe('docs/reference/refused.md', () => {
  it('docs/reference/refused.md has the explanations that `keystile token check` prints', () => {
    assert.equal(page, writeReasons(page), 'run: node --conditions=source tools/refused-page.ts')
  })

  it('docs/reference/refused.md has a section for each TokenReason, in order of the checks', () => {
    const sections = [...page.matchAll(/^### `(\w+)`$/gm)].map(([, reason]) => reason)
    assert.deepEqual(sections, Object.keys(tokenReasons))
  })

  it('docs/reference/refused.md gives the meaning, cause and fix of each TokenReason', () => {
    for (const [reason, { meaning, cause, fix }] of Object.entries(explanations))
      for (const sentence of [meaning, cause, fix]) assert.match(sentence, /^[A-Z`].*\.$/, reason)
  })
})
