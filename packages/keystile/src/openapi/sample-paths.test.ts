import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { samplePaths } from './sample-paths.ts'

const first = (
  count: number,
  template: string,
  parameters: readonly unknown[] = [],
  document = {},
): string[] => [...samplePaths(template, parameters, document)].slice(0, count)

describe('samplePaths', () => {
  it('if a path has no parameters, samplePaths yields only the path itself', () => {
    assert.deepEqual([...samplePaths('/items', [], {})], ['/items'])
  })

  it('samplePaths tries words, numbers, identifiers and dates as parameters', () => {
    const paths = [...samplePaths('/items/{id}', [], {})]
    assert.equal(paths[0], '/items/sample')
    assert.equal(new Set(paths).size, paths.length)
    for (const pattern of [
      /\/[0-9]+$/,
      /\/[a-z]{2}$/,
      /\/[A-Z]{3}$/,
      /\/[\da-f]{8}-[\da-f-]{27}$/,
      /\/\d{4}-\d\d-\d\d$/,
    ])
      assert.ok(
        paths.some((path) => pattern.test(path)),
        String(pattern),
      )
  })

  it('samplePaths tries the examples first, then values of the schema, then common values', () => {
    const parameters: readonly object[] = [
      {
        name: 'id',
        in: 'path',
        example: 'e1',
        examples: { a: { value: 'e2' }, odd: 'none', b: { value: 3 } },
        schema: {
          example: 'e4',
          examples: ['e5', 'e6'],
          const: 'e7',
          default: 'e8',
          enum: ['e9', null, 10],
        },
      },
    ]
    assert.deepEqual(
      first(11, '/{id}', parameters),
      ['e1', 'e2', '3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9', '10', 'sample'].map(
        (value) => `/${value}`,
      ),
    )
  })

  it('samplePaths prefers the example of the operation to the example of the path', () => {
    const of = (example: string, place = 'path', name = 'id'): object => ({
      name,
      in: place,
      example,
    })
    const parameters = [
      undefined,
      of('path'),
      of('operation'),
      of('query', 'query'),
      of('other', 'path', 'other'),
    ]
    assert.deepEqual(first(1, '/{id}', parameters), ['/operation'])
  })

  it('samplePaths follows a valid $ref inside the document, and ignores every other $ref', () => {
    const document = {
      components: {
        parameters: {
          'a/b~c': { name: 'id', in: 'path', schema: { $ref: '#/components/schemas/Id' } },
          Loop: { $ref: '#/components/parameters/Loop' },
        },
        schemas: { Id: { example: 'x7' } },
      },
    }
    assert.deepEqual(first(1, '/{id}', [{ $ref: '#/components/parameters/a~1b~0c' }], document), [
      '/x7',
    ])
    for (const $ref of [
      '#/components/parameters/Loop',
      '#/components/nowhere/Id',
      'other.json#/Id',
      '#/components/schemas/Id/example/x',
      '@/components/parameters/a~1b~0c',
    ])
      assert.deepEqual(first(1, '/{id}', [{ $ref }], document), ['/sample'], $ref)
  })

  it('samplePaths encodes a value even if it is only a part of a path segment', () => {
    const parameters = [{ name: 'a', in: 'path', example: 'x/y ü' }]
    assert.deepEqual(first(1, '/v{a}/{b}.json', parameters), ['/vx%2Fy%20%C3%BC/sample.json'])
  })

  it('if a path has many parameters, samplePaths combines only the first values of each', () => {
    const paths = [...samplePaths('/{a}/{b}/{c}/{d}', [], {})]
    const turns = [...samplePaths('/{a}', [], {})].length
    assert.equal(paths.length, turns + 5 ** 4)
    // All combinations of words and numbers that a route may need.
    for (let number = 0; number < 16; number++) {
      const wanted = [0, 1, 2, 3].map((bit) => ((number >> bit) & 1 ? '1' : 'sample')).join('/')
      assert.ok(paths.includes(`/${wanted}`), wanted)
    }
    const more = '/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}'
    assert.equal([...samplePaths(more, [], {})].length, turns + 1)
  })

  it('for a path with two parameters, samplePaths tries every combination of their values', () => {
    const parameters = [{ name: 'a', in: 'path', example: 'one' }]
    const paths = new Set(samplePaths('/{a}/{b}', parameters, {}))
    const values = [...samplePaths('/{b}', [], {})]
    for (const left of ['/one', ...values])
      for (const right of values) assert.ok(paths.has(left + right), left + right)
  })
})
