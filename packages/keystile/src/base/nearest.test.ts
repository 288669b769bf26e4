import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findNearest, unknownFlag } from './nearest.ts'

const flags = ['--issuer', '--audience', '--port', '--host']

describe('findNearest', () => {
  for (const [word, expected] of [
    ['--isuer', '--issuer'],
    ['--isseur', '--issuer'],
    ['--audiences', '--audience'],
    ['--prt', '--port'],
    ['--hots', '--host'],
    ['--audienceabc', '--audience'],
    ['--issuer', '--issuer'],
  ]) {
    it(`findNearest proposes ${expected} for ${word}`, () => {
      assert.equal(findNearest(word ?? '', flags), expected)
    })
  }

  it('findNearest returns undefined if no flag is similar to the word', () => {
    assert.equal(findNearest('--verbose', flags), undefined)
    assert.equal(findNearest('--issuer', []), undefined)
  })

  it('findNearest counts letters that are missing or too many at the beginning', () => {
    assert.equal(findNearest('port', ['passport']), undefined)
    assert.equal(findNearest('passport', ['port']), undefined)
    assert.equal(findNearest('x', ['passport']), undefined)
  })
})

describe('unknownFlag', () => {
  it('unknownFlag proposes a similar flag, or lists the flags, or says to leave it out', () => {
    const names = ['issuer', 'port']
    assert.equal(unknownFlag('--prt', names), 'there is no flag --prt. Fix: write --port')
    assert.equal(
      unknownFlag('--verbose', names),
      'there is no flag --verbose. Fix: the flags are --issuer, --port',
    )
    const many = Array.from({ length: 20 }, (_, i) => `flag-${i}`)
    assert.match(unknownFlag('--verbose', many), /flags are --flag-0, .*, --flag-19$/)
    assert.equal(
      unknownFlag('--verbose', [...many, 'port']),
      'there is no flag --verbose. Fix: see keystile help',
    )
    assert.equal(unknownFlag('--prt', []), 'there is no flag --prt. Fix: leave it out')
  })
})
