import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { otherTests } from './mutate.ts'
import { isAbout, readExplanations } from './mutate/explained.ts'

const root = join(import.meta.dirname, '..')

describe('npm run mutate', () => {
  it('npm run mutate names only existing tests', () => {
    for (const pattern of Object.values(otherTests).flat()) {
      const { length } = globSync(pattern, { cwd: root })
      const alternatives = /\{(.*)\}/.exec(pattern)?.[1]?.split(',').length ?? 1
      assert.ok(length >= alternatives, `${pattern} has ${length} files`)
    }
  })

  it('each explained mutant is at a line that exists', () => {
    for (const each of readExplanations()) {
      const lines = readFileSync(join(root, each.file), 'utf8').split('\n')
      const found = lines.some((_, number) => isAbout(each, lines, number))
      assert.ok(found, `${each.file}: ${each.code.join('\n')}`)
    }
  })
})
