import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFeedList, type FeedList } from './feed-list.ts'

const begin = 1_800_000_000_000
const token = { sessionId: 's1', subject: 'alice', clientId: 'app', keyId: 'k1' }

function start(): { readonly list: FeedList; advance(milliseconds: number): void } {
  let now = begin
  return {
    list: createFeedList({ now: () => now }),
    advance(milliseconds) {
      now += milliseconds
    },
  }
}

const json = (event: object): string => JSON.stringify({ expires_at: begin + 600_000, ...event })

describe('createFeedList', () => {
  for (const [kind, value] of [
    ['session', 's1'],
    ['subject', 'alice'],
    ['client', 'app'],
    ['key', 'k1'],
  ] as const) {
    it(`a feed list revokes a token only after an event names the token’s ${kind}`, () => {
      const { list } = start()
      list.add(json({ kind, value: 'other' }))
      assert.equal(list.isRevoked(token), false)
      list.add(json({ kind, value }))
      assert.equal(list.isRevoked(token), true)
    })
  }

  it('createFeedList ignores a revocation of an unknown kind', () => {
    const { list } = start()
    list.add(json({ kind: 'organisation', value: 's1' }))
    list.add(JSON.stringify({ kind: '__proto__', value: { any: 'thing' } }))
    assert.equal(list.isRevoked(token), false)
  })

  for (const [what, data, fault] of [
    ['that is not JSON', '{', 'not JSON'],
    ['that is not an object', '[]', 'not a JSON object'],
    ['with two values', '{"kind":"session","value":"a","value":"b"}', 'ambiguous'],
    ['without a kind', json({ value: 's1' }), 'malformed'],
    ['without a value', json({ kind: 'session' }), 'malformed'],
    ['with a number as value', json({ kind: 'session', value: 1 }), 'malformed'],
    ['without a time', '{"kind":"session","value":"s1"}', 'malformed'],
    ['with a text as time', json({ kind: 'session', value: 's1', expires_at: '1' }), 'malformed'],
  ] as const) {
    it(`createFeedList throws for a revocation ${what}`, () => {
      assert.throws(() => start().list.add(data), new RegExp(`^Error: a revocation is ${fault}`))
    })
  }

  it('one minute after a revocation has expired, createFeedList forgets this revocation', () => {
    const { list, advance } = start()
    list.add(json({ kind: 'session', value: 's1' }))
    advance(659_999)
    assert.equal(list.purge(), true)
    assert.equal(list.isRevoked(token), true)
    advance(60_001)
    assert.equal(list.purge(), true)
    assert.equal(list.isRevoked(token), false)
  })

  it('purge() of a feed list returns false if the clock was set back by a minute or more', () => {
    const { list, advance } = start()
    assert.equal(list.purge(), true)
    advance(-59_999)
    assert.equal(list.purge(), true)
    advance(-1)
    assert.equal(list.purge(), false)
    assert.equal(list.purge(), true)
  })
})
