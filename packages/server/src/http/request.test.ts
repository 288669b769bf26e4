import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readWebRequest } from 'keystile/internal'
import { mediaTypeOf, queryOf } from './request.ts'

const requestTo = (url: string, headers = {}): ReturnType<typeof readWebRequest> => ({
  ...readWebRequest(new Request('https://auth.example', { headers })),
  url,
})

describe('mediaTypeOf', () => {
  it('mediaTypeOf returns the type in lower case and without parameters', () => {
    assert.equal(
      mediaTypeOf(requestTo('/', { 'content-type': 'Text/HTML ; charset=x' })),
      'text/html',
    )
    assert.equal(mediaTypeOf(requestTo('/')), undefined)
  })
})

describe('queryOf', () => {
  it('queryOf returns the text between ? and #', () => {
    assert.deepEqual(
      [...queryOf(requestTo('/a?b=1&c=%3F?#d=2'))],
      [
        ['b', '1'],
        ['c', '??'],
      ],
    )
    assert.deepEqual([...queryOf(requestTo('?b=1'))], [['b', '1']])
    for (const url of ['/a', '/a?', '/a=1', ''])
      assert.deepEqual([...queryOf(requestTo(url))], [], url)
  })
})
