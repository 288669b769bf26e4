import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { folderOf, rooms } from './mutate.ts'
import { isAbout, readExplanations } from './mutate/explained.ts'

const root = join(import.meta.dirname, '..')

describe('npm run mutate', () => {
  it('npm run mutate names only existing rooms and tests', () => {
    for (const [room, tests] of Object.entries(rooms)) {
      assert.ok(existsSync(join(root, folderOf(room))), room)
      for (const pattern of tests) {
        const { length } = globSync(pattern, { cwd: root })
        const alternatives = /\{(.*)\}/.exec(pattern)?.[1]?.split(',').length ?? 1
        assert.ok(length >= alternatives, `${room}: ${pattern} has ${length} files`)
      }
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
