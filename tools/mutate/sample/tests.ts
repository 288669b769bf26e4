// The tests of code.ts. Not a `.test.ts`: only rooms.test.ts runs them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { beforeEach, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { isWithin, larger, unit } from './code.ts'

describe('sample', () => {
  let limit = 0
  beforeEach(() => {
    limit = 3
  })

  it('compares', () => {
    assert.deepEqual([isWithin(3, limit), isWithin(4, limit)], [true, false])
    assert.deepEqual([larger(1, 2), larger(2, 1), larger(2, 2)], [2, 2, 2])
  })

  it('knows the unit', () => assert.equal(unit, 'ms'))

  it('adds in a thread', async () => {
    const thread = new Worker(new URL('./code.ts', import.meta.url), { workerData: [1, 2] })
    assert.deepEqual(await once(thread, 'message'), [3])
  })

  it('subtracts in a process that inherits few variables', async () => {
    const { NODE_OPTIONS = '' } = process.env
    const code = `import { difference } from '${new URL('./code.ts', import.meta.url).href}'
      console.log(difference(3, 1))`
    const args = ['--input-type=module', '--conditions=source', '--eval', code]
    const child = spawn(process.execPath, args, { env: { NODE_OPTIONS } })
    assert.equal(await text(child.stdout), '2\n')
  })
})
