import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { show } from './shown-value.ts'

describe('show()', () => {
  it('show() hides user, query and fragment of a URL, and most of an invalid URL', () => {
    for (const [text, shown] of [
      ['http://auth.example', '"http://auth.example"'],
      ['http://auth.example/x/', '"http://auth.example/x/"'],
      ['http://auth.example/', '"http://auth.example/"'],
      ['http://auth.example/?k=1', '"http://auth.example/"'],
      ['http://auth.example?k=1', '"http://auth.example"'],
      ['urn:auth?k=1', '"urn:auth"'],
      ['p@ss@auth.example:80', '"…"'],
      ['https://u:p@auth.example/x?k=1#f', '"https://auth.example/x"'],
      ['https://u:p/q@auth.example', '"https://…"'],
      ['https://u:1/q@auth.example', '"https://…"'],
      ['u:p@auth.example', '"u:…"'],
      ['me@auth.example', '"…"'],
      ['auth', '"auth"'],
    ] as const)
      assert.equal(show(text), shown)
  })

  it('show() escapes everything but visible ASCII, and shortens a text to 80 characters', () => {
    assert.equal(show('a\n\u001b[1m'), String.raw`"a\u{a}\u{1b}[1m"`)
    assert.equal(show('x'.repeat(78)), `"${'x'.repeat(78)}"`)
    assert.equal(show('x'.repeat(79)), `"${'x'.repeat(77)}…"`)
    assert.equal(show(7), '7')
  })
})
