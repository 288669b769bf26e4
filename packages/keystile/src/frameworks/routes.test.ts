import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runInThisContext } from 'node:vm'
import {
  cannotLookInto,
  describedMethods,
  hidesParameters,
  methods,
  methodsOfAll,
} from './routes.ts'

describe('describedMethods', () => {
  it('describedMethods shortens a list of all methods to GET, PUT, POST, DELETE and PATCH', () => {
    assert.deepEqual(describedMethods([...methods, 'purge', 'link'], '/'), methodsOfAll)
  })

  it('describedMethods returns a list unchanged if the list does not contain all methods', () => {
    assert.deepEqual(describedMethods(['get', 'options'], '/'), ['get', 'options'])
    assert.deepEqual(describedMethods(methods.slice(1), '/'), methods.slice(1))
  })

  it('describedMethods refuses a method that does not exist in OpenAPI 3.1', () => {
    assert.throws(
      () => describedMethods(['get', 'purge'], '/items'),
      /the route \/items answers PURGE, .* "ignore"/,
    )
  })
})

describe('cannotLookInto', () => {
  it('cannotLookInto() returns an error that says how to document a mounted app', () => {
    assert.equal(
      cannotLookInto('/foreign/x').message,
      'a mounted app answers /foreign/x, and the guards of that app are unknown here. ' +
        'Fix: create a document for the mounted app itself, and add its paths to "ignore"',
    )
  })
})

describe('hidesParameters', () => {
  it('hidesParameters is true for rest and default parameters, not for [...x] in the code', () => {
    const hiding = [
      (..._all: unknown[]) => {},
      (_c: unknown, ..._rest: unknown[]) => {},
      (_c: unknown, _next = null) => {},
      async (_c: unknown, ..._rest: unknown[]) => {},
      function (_c: unknown, ..._rest: unknown[]) {},
      { method(_c: unknown, _next = null) {} }.method,
      { async method(_c: unknown, ..._rest: unknown[]) {} }.method,
    ]
    for (const handler of hiding) assert.equal(hidesParameters(handler), true, String(handler))
    const plain = [
      (c: readonly unknown[]) => [...c, 1],
      async (_c: unknown) => ({ a: 1 }),
      function (c: unknown) {
        const rest = [c]
        return () => [...rest]
      },
      {
        method(c: readonly unknown[]) {
          return [...c, 1]
        },
      }.method,
      Math.max.bind(null),
      // Source text with unusual spaces, in strings so that the formatter keeps them.
      runInThisContext('(async  function (c) { return [...c] })'),
      runInThisContext('({ method  (c) { return [...c] } }).method'),
    ]
    for (const handler of plain) assert.equal(hidesParameters(handler), false, String(handler))
  })
})
