import assert from 'node:assert/strict'
import { it } from 'node:test'
import { deepFreeze } from './freeze.ts'

it('deepFreeze freezes plain objects and arrays at every depth, and returns its argument', () => {
  const inner = { names: ['a'] }
  const bare: object = Object.assign(Object.create(null), { n: 1 })
  const value = { inner, list: [inner, [1]], bare, text: 'a', none: null, nothing: undefined }
  assert.equal(deepFreeze(value), value)
  for (const part of [value, inner, inner.names, value.list, value.list[1], bare])
    assert.ok(Object.isFrozen(part))
})

it('deepFreeze freezes what an already frozen object contains', () => {
  const inner = { names: ['a'] }
  deepFreeze({ frozen: Object.freeze({ inner }) })
  for (const part of [inner, inner.names]) assert.ok(Object.isFrozen(part))
})

it('deepFreeze freezes an object that contains itself', () => {
  const value: { self?: object } = {}
  value.self = value
  assert.ok(Object.isFrozen(deepFreeze(value)))
})

it('deepFreeze freezes a class instance, but not the instances and typed arrays inside it', () => {
  class Person {
    readonly born = new Date(0)
    readonly key = new Uint8Array(2)
    readonly address = { city: 'London' }
    readonly friend: Person | undefined
    constructor(friend?: Person) {
      this.friend = friend
    }
  }
  const person = deepFreeze(new Person(new Person()))
  assert.deepEqual(
    [person, person.address, person.born, person.key, person.friend].map(Object.isFrozen),
    [true, true, false, false, false],
  )
})

it('deepFreeze calls no getter', () => {
  const value = {
    get expensive(): never {
      throw new Error('the getter was called')
    },
  }
  assert.ok(Object.isFrozen(deepFreeze(value)))
})
