import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { methodsOf } from './declared.ts'

describe('methodsOf', () => {
  it('methodsOf returns a class’s and its superclasses’ methods, not those of Object', () => {
    class Base {
      one(): void {}
      two(): void {}
    }
    class Things extends Base {
      override two(): void {}
      three(): void {}
    }
    const { one } = Base.prototype
    const { two, three } = Things.prototype
    assert.deepEqual(methodsOf(Things), [
      { name: 'two', handler: two },
      { name: 'three', handler: three },
      { name: 'one', handler: one },
    ])
  })
})
