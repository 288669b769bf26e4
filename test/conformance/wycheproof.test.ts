import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { importJwkSet, importKey } from 'keystile/jwt'
import { judgeKeySets, judgeSignatures, type Group, type Verdict } from './wycheproof.ts'

const groupsOf = (file: string): readonly Group[] =>
  JSON.parse(readFileSync(new URL(`vectors/wycheproof/${file}`, import.meta.url), 'utf8'))
    .testGroups

/** Cases that the tests leave out. vectors/README.md says why. */
const disputed = new Set([346, 350, 367, 370, 372, 373])

const isWrong = ({ expected, verdict }: Verdict): boolean =>
  (verdict === 'accepted') !== (expected === 'valid')

describe('verifyJws', () => {
  const verdicts = judgeSignatures(groupsOf('json_web_signature_test.json'))

  it('verifyJws accepts the 42 valid JWS of Wycheproof and refuses the 353 invalid ones', () => {
    const scored = verdicts.filter(({ tcId }) => !disputed.has(tcId))
    assert.deepEqual(scored.filter(isWrong), [])
    const count = (result: string): number =>
      scored.filter(({ expected }) => expected === result).length
    assert.deepEqual([count('valid'), count('invalid')], [42, 353])
  })

  it('verifyJws accepts 2 invalid Wycheproof cases, because a valid case has the same JWS', () => {
    const accepted = verdicts
      .filter(({ tcId, verdict }) => disputed.has(tcId) && verdict === 'accepted')
      .map(({ tcId }) => tcId)
    assert.deepEqual(accepted, [367, 370])
  })
})

describe('importJwkSet', () => {
  it('importJwkSet accepts the valid key sets of Wycheproof and refuses the invalid ones', () => {
    const verdicts = judgeKeySets(groupsOf('json_web_key_test.json'))
    assert.deepEqual(verdicts.filter(isWrong), [])
    assert.equal(verdicts.length, 26)
  })

  it('importJwkSet and importKey refuse the weak secrets of Wycheproof', () => {
    const keys = [
      ...groupsOf('json_web_key_test.json'),
      ...groupsOf('json_web_signature_test.json'),
    ].map((group) => group.public ?? group.private)
    const sets = keys
      .map((key) => key.keys ?? [key])
      .filter((set) => set.every(({ kty }) => kty === 'oct'))
    assert.equal(sets.length, 17)
    for (const set of sets) {
      assert.throws(() => importJwkSet({ keys: set }), TypeError)
      assert.throws(() => importKey(set[0]!), TypeError)
    }
  })
})
