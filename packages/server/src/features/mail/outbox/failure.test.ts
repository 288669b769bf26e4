import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explainFailure, failureOf } from './failure.ts'

describe('failureOf', () => {
  const of = (responseCode: number, code?: string): unknown => failureOf({ responseCode, code })

  it('failureOf treats an SMTP code of 500 to 599 about the mail as a permanent failure', () => {
    assert.deepEqual(of(550, 'EENVELOPE'), { code: 'smtp_550', isPermanent: true })
    assert.deepEqual(of(554, 'EMESSAGE'), { code: 'smtp_554', isPermanent: true })
    assert.deepEqual(of(599), { code: 'smtp_599', isPermanent: true })
    assert.deepEqual(of(500), { code: 'smtp_500', isPermanent: true })
    assert.deepEqual(of(529), { code: 'smtp_529', isPermanent: true })
  })

  it('failureOf treats an SMTP code of 400 to 499 as a temporary failure', () => {
    assert.deepEqual(of(499, 'EENVELOPE'), { code: 'smtp_499', isPermanent: false })
    assert.deepEqual(of(400), { code: 'smtp_400', isPermanent: false })
    assert.deepEqual(of(421), { code: 'smtp_421', isPermanent: false })
  })

  it('failureOf treats an SMTP code about login or connection as a temporary failure', () => {
    assert.deepEqual(of(535, 'EAUTH'), { code: 'smtp_535', isPermanent: false })
    assert.deepEqual(of(530, 'EENVELOPE'), { code: 'smtp_530', isPermanent: false })
    assert.deepEqual(of(539, 'EENVELOPE'), { code: 'smtp_539', isPermanent: false })
    assert.deepEqual(of(540, 'EENVELOPE'), { code: 'smtp_540', isPermanent: true })
    assert.deepEqual(of(554, 'EPROTOCOL'), { code: 'smtp_554', isPermanent: false })
  })

  it('failureOf returns the code of the system that nodemailer replaces by ESOCKET', () => {
    const socket = { code: 'ESOCKET', originalCode: 'ECONNREFUSED' }
    assert.deepEqual(failureOf(socket), { code: 'ECONNREFUSED', isPermanent: false })
    const dns = { code: 'EDNS', originalCode: 'ENOTFOUND' }
    assert.deepEqual(failureOf(dns), { code: 'EDNS', isPermanent: false })
  })

  it('an error without an SMTP code is temporary; failureOf keeps codes like ECONNECTION', () => {
    assert.deepEqual(failureOf({ code: 'ECONNECTION' }), {
      code: 'ECONNECTION',
      isPermanent: false,
    })
    for (const error of [
      new Error('550 secret'),
      'text',
      undefined,
      new DOMException('stopped', 'AbortError'),
      ...[399, 600].map((responseCode) => ({ responseCode })),
      ...['a b', 'aECONN', 'ECONNa', 'E', `E${'A'.repeat(31)}`].map((code) => ({ code })),
    ])
      assert.deepEqual(failureOf(error), { code: 'error', isPermanent: false })
    const timeout = new DOMException('late', 'TimeoutError')
    assert.deepEqual(failureOf(timeout), { code: 'timeout', isPermanent: false })
  })
})

describe('explainFailure', () => {
  for (const [code, cause, fix] of [
    ['EAUTH', /refuses the login/, /user and the password/],
    ['smtp_535', /refuses the login/, /user and the password/],
    ['ETLS', /no STARTTLS/, /smtps: if/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /^TLS fails/, /smtps: if/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /^the certificate/, /valid certificate/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /^the certificate/, /valid certificate/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /^the certificate/, /valid certificate/],
    ['EDNS', /host is unknown/, /correct the host/],
    ['ECONNREFUSED', /does not run/, /^start the mail server, or correct host and port/],
    ['ETIMEDOUT', /does not answer/, /firewall/],
    ['timeout', /does not answer/, /firewall/],
    ['ESOCKET', /ends the connection/, /log of the mail server/],
    ['ECONNECTION', /ends the connection/, /log of the mail server/],
    ['ECONNRESET', /ends the connection/, /log of the mail server/],
    ['smtp_451', /refuses mails/, /log of the mail server/],
    ['error', /written or sent/, /function send/],
  ] as const)
    it(`explainFailure says what ${code} means, and how to fix it`, () => {
      const explained = explainFailure(code)
      assert.match(explained.cause, cause)
      assert.match(explained.fix, fix)
    })
})
