import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inheritedArguments } from './inherited-arguments.ts'

describe('inheritedArguments', () => {
  it('a thread inherits only --conditions from the arguments of its process', () => {
    const all = ['--input-type=module', '--conditions=source', '--conditions=x', '--test']
    assert.deepEqual(inheritedArguments(all), ['--conditions=source', '--conditions=x'])
  })
})
