import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failureOf } from './failure.ts'

describe('failureOf', () => {
  const of = (responseCode: number, code?: string): unknown => failureOf({ responseCode, code })

  it('a reply from 500 to 599 about the mail is permanent', () => {
    assert.deepEqual(of(550, 'EENVELOPE'), { code: 'smtp_550', isPermanent: true })
    assert.deepEqual(of(554, 'EMESSAGE'), { code: 'smtp_554', isPermanent: true })
    assert.deepEqual(of(599), { code: 'smtp_599', isPermanent: true })
  })

  it('a reply from 400 to 499 is not permanent', () => {
    assert.deepEqual(of(499, 'EENVELOPE'), { code: 'smtp_499', isPermanent: false })
    assert.deepEqual(of(421), { code: 'smtp_421', isPermanent: false })
  })

  it('a reply about the login or the connection is not permanent', () => {
    assert.deepEqual(of(535, 'EAUTH'), { code: 'smtp_535', isPermanent: false })
    assert.deepEqual(of(530, 'EENVELOPE'), { code: 'smtp_530', isPermanent: false })
    assert.deepEqual(of(539, 'EENVELOPE'), { code: 'smtp_539', isPermanent: false })
    assert.deepEqual(of(540, 'EENVELOPE'), { code: 'smtp_540', isPermanent: true })
    assert.deepEqual(of(554, 'EPROTOCOL'), { code: 'smtp_554', isPermanent: false })
  })

  it('any other error is tried again, and only a short code of it is kept', () => {
    assert.deepEqual(failureOf({ code: 'ECONNECTION' }), {
      code: 'ECONNECTION',
      isPermanent: false,
    })
    for (const error of [new Error('550 secret'), 'text', undefined, { code: 'a b' }, of(600)])
      assert.deepEqual(failureOf(error), { code: 'error', isPermanent: false })
    const timeout = new DOMException('late', 'TimeoutError')
    assert.deepEqual(failureOf(timeout), { code: 'timeout', isPermanent: false })
  })
})
