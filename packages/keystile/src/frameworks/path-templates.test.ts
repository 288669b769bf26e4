import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { shapeOf, templateOf, withoutSlash } from './path-templates.ts'

describe('templateOf', () => {
  it('templateOf turns /items/:id into /items/{id}, and drops the pattern of a parameter', () => {
    for (const [path, template] of [
      ['', '/'],
      ['/', '/'],
      ['/items', '/items'],
      ['/items/', '/items/'],
      ['/items/:id', '/items/{id}'],
      ['/:shop/items/:id', '/{shop}/items/{id}'],
      ['/:from-:to', '/{from}-{to}'],
      ['/items/:id{[0-9]+}', '/items/{id}'],
      ['/items/:id{[0-9]{2}x}/more', '/items/{id}/more'],
      ['/items/:id{[0-9]{10}}', '/items/{id}'],
      ['/items/:id([0-9]+)', '/items/{id}'],
      ['/items/:id(^(a|b)$)/more', '/items/{id}/more'],
      ['/items/:id.json', '/items/{id}.json'],
    ] as const)
      assert.equal(templateOf(path), template, path)
  })

  it('templateOf returns undefined for a path that OpenAPI cannot express', () => {
    for (const path of [
      '*',
      '/files/*',
      '/files/*rest',
      '/items/:id?',
      '/items/:id+',
      '/items/:id{[0-9]+}?',
      '/items{/:id}',
      '/item{s}',
      '/(items|things)',
      '/it[em]s',
      '/items\\:now',
      '/a|b',
      '/items/:',
    ])
      assert.equal(templateOf(path), undefined, path)
  })
})

describe('shapeOf', () => {
  it('shapeOf ignores parameter names and a trailing slash', () => {
    assert.equal(shapeOf('/items/{id}/x/{a}'), '/items/{}/x/{}')
    assert.equal(shapeOf('/items/{id}/'), '/items/{}')
    assert.equal(shapeOf('/'), '/')
    assert.notEqual(shapeOf('/items/{id}'), shapeOf('/things/{id}'))
  })
})

describe('withoutSlash', () => {
  it('withoutSlash removes a trailing slash, except in "/"', () => {
    assert.deepEqual(['/', '/a/', '/a', '/a//'].map(withoutSlash), ['/', '/a', '/a', '/a/'])
  })
})
