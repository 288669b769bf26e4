import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSeal } from './seal.ts'

const secret = 'an application secret of 32 chars'

describe('createSeal', () => {
  it('createSeal encrypts equal strings to different texts, and decrypts each text', () => {
    const { seal, open } = createSeal(secret, 'test')
    assert.equal(open(seal('täxt', 'row 1'), 'row 1'), 'täxt')
    assert.notEqual(seal('täxt', 'row 1'), seal('täxt', 'row 1'))
  })

  it('createSeal decrypts a value that an earlier version of Keystile encrypted', () => {
    const sealed = 'obcMpq_y34ErBQr20RYWHyG0WfC3vFCCHqJzASN4xDI'
    assert.equal(createSeal(secret, 'test').open(sealed, 'row 1'), 'text')
  })

  it('createSeal encrypts with a 96-bit IV and a 128-bit tag (SP 800-38D §5.2.1)', () => {
    const { seal, open } = createSeal(secret, 'test')
    const sealed = seal('', 'row')
    assert.equal(Buffer.from(sealed, 'base64url').length, 12 + 16)
    assert.equal(open(sealed, 'row'), '')
  })

  it('createSeal cannot decrypt a value with a wrong secret, wrong purpose or wrong row', () => {
    const sealed = createSeal(secret, 'test').seal('text', 'row 1')
    assert.equal(createSeal(`${secret}!`, 'test').open(sealed, 'row 1'), undefined)
    const both = createSeal([`${secret}!`, secret], 'test')
    assert.equal(both.open(sealed, 'row 1'), 'text')
    assert.equal(createSeal(secret, 'test').open(both.seal('text')), undefined)
    assert.equal(createSeal(secret, 'other').open(sealed, 'row 1'), undefined)
    assert.equal(createSeal(secret, 'test').open(sealed, 'row 2'), undefined)
  })

  it('createSeal refuses an encrypted value if a byte is changed or missing', () => {
    const { seal, open } = createSeal(secret, 'test')
    const sealed = Buffer.from(seal('text', 'row'), 'base64url')
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed)
      changed[i]! ^= 1
      assert.equal(open(changed.toString('base64url'), 'row'), undefined)
      assert.equal(open(sealed.subarray(0, i).toString('base64url'), 'row'), undefined)
    }
    for (const spelling of [`${sealed.toString('base64url')} `, sealed.toString('base64')])
      assert.equal(open(spelling, 'row'), undefined)
  })
})
