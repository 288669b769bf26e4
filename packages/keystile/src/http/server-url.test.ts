import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findServerUrl, isSafe } from './server-url.ts'

describe('findServerUrl', () => {
  it('findServerUrl accepts http and https URLs with a port and a path', () => {
    for (const text of ['http://a', 'https://a.example/', 'https://a.example:8443/b/c/'])
      assert.equal(findServerUrl(text)?.href, new URL(text).href)
  })

  for (const text of [
    'https://a.example?',
    'https://a.example/b?c=d',
    'https://a.example#',
    'https://user@a.example',
    'https://user:password@a.example',
    'https://:password@a.example',
    'https://a.example\\b',
    'https:\\\\a.example',
    ' https://a.example',
    'https://a.example\n',
    'https://',
    'https://a.example:99999',
    'wss://a.example',
    'a.example',
    '',
    undefined,
    new URL('https://a.example'),
    ['https://a.example'],
  ]) {
    it(`findServerUrl refuses ${JSON.stringify(text)} instead of correcting it`, () => {
      assert.equal(findServerUrl(text), undefined)
    })
  }
})

describe('isSafe', () => {
  it('isSafe accepts https everywhere, and http only on this machine', () => {
    for (const safe of [
      'https://a.example',
      'http://localhost',
      'http://127.9.9.9',
      'http://[::1]',
    ])
      assert.ok(isSafe(new URL(safe)), safe)
    for (const other of ['http://a.example', 'http://10.0.0.1', 'http://localhost.example'])
      assert.ok(!isSafe(new URL(other)), other)
  })
})
