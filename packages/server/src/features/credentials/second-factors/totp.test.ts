import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { describe, it } from 'node:test'
import * as OTPAuth from 'otpauth'
import { generateSync } from 'otplib'
import { hashRecoveryCode, makeRecoveryCodes } from './recovery-codes.ts'
import { codeAt, makeTotpSecret, stepOf, totpUri } from './totp.ts'

const hasProgram = (name: string): boolean => spawnSync(name, ['--version']).status === 0

describe('codes of authenticator apps', () => {
  it('the codes are those of RFC 6238, appendix B', () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' // 12345678901234567890
    const vectors = [
      [59, '94287082'],
      [1111111109, '07081804'],
      [1111111111, '14050471'],
      [1234567890, '89005924'],
      [2000000000, '69279037'],
      [20000000000, '65353130'],
    ] as const
    for (const [seconds, code] of vectors)
      assert.equal(codeAt(secret, Math.floor(seconds / 30), 8), code)
  })

  it('for 1,000 random secrets and times, otpauth and otplib show the same codes', () => {
    for (let i = 0; i < 1_000; i++) {
      const [secret, seconds] = [makeTotpSecret(), randomInt(4_000_000_000)]
      assert.match(secret, /^[A-Z2-7]{32}$/)
      const code = codeAt(secret, Math.floor(seconds / 30))
      const other = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(secret) })
      assert.equal(other.generate({ timestamp: seconds * 1000 }), code)
      assert.equal(generateSync({ secret, epoch: seconds }), code)
    }
  })

  it(
    'oathtool shows the same codes',
    { skip: hasProgram('oathtool') ? false : 'oathtool is not installed' },
    () => {
      for (let i = 0; i < 20; i++) {
        const [secret, seconds] = [makeTotpSecret(), randomInt(2_000_000_000)]
        const args = ['--totp', '-b', '--now', `@${seconds}`, secret]
        const shown = execFileSync('oathtool', args).toString().trim()
        assert.equal(codeAt(secret, Math.floor(seconds / 30)), shown)
      }
    },
  )

  it('totpUri cuts a long name between letters, and replaces half a surrogate pair', () => {
    const uriOf = (account: string): string =>
      decodeURIComponent(totpUri('GEZD', { issuer: 'Shop', account }))
    const front = 'x'.repeat(59)
    assert.equal(uriOf(`${front}😀y`), `otpauth://totp/Shop:${front}😀?secret=GEZD&issuer=Shop`)
    assert.equal(uriOf('a\ud83d'), 'otpauth://totp/Shop:a\ufffd?secret=GEZD&issuer=Shop')
  })

  it('stepOf accepts the code of this step, the one before and the one after', () => {
    const [secret, now] = [makeTotpSecret(), 1_700_000_000_000]
    const present = Math.floor(now / 30_000)
    for (const step of [present - 1, present, present + 1])
      assert.equal(stepOf(secret, codeAt(secret, step), now), step)
    // Two steps have the same code once in a million.
    const near = [-1, 0, 1].map((offset) => codeAt(secret, present + offset))
    for (const step of [present - 2, present + 2]) {
      const code = codeAt(secret, step)
      if (!near.includes(code)) assert.equal(stepOf(secret, code, now), undefined)
    }
    for (const text of ['', '12345', '1234567', 'abcdef'])
      assert.equal(stepOf(secret, text, now), undefined)
  })
})

describe('recovery codes', () => {
  it('there are ten different codes of 80 bits', () => {
    const codes = makeRecoveryCodes()
    assert.equal(new Set(codes).size, 10)
    for (const code of codes)
      assert.match(code, /^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
  })

  it('hyphens, spaces, capitals and letters that look like digits do not matter', () => {
    const hash = hashRecoveryCode('7k2m-01ab-cdef-ghjk')
    assert.equal(hashRecoveryCode('7K2M 0LAB cdefghjk'), hash)
    assert.equal(hashRecoveryCode('7k2mOiabcdefghjk'), hash)
    assert.notEqual(hashRecoveryCode('7k2m-01ab-cdef-ghjm'), hash)
  })
})
