import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { folderOf, rooms } from './mutate.ts'

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
})
