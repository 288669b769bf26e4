import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isHash, verify } from './scrypt.ts'

const staple = 'correct horse battery staple'

/** Passwords and their stored hashes. The comments name the sources. */
const hashes: readonly (readonly [string, string])[] = [
  // From RFC 7914 §12, as PHC strings. passlib's tests (test_handlers_scrypt.py) cut the hashes
  // from 64 to 32 bytes.
  ['', '$scrypt$ln=4,r=1,p=1$$d9ZXYjhleyA7GcpCwYoEl/FrSETjB0ro39/6P+3iFEI'],
  ['password', '$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI'],
  [
    'pleaseletmein',
    '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI',
  ],
  // Made by passlib 1.7.4 of Debian, with its own scrypt in Python: scrypt.using(rounds=…,
  // block_size=…, parallelism=…).hash(…)
  [
    staple,
    '$scrypt$ln=7,r=8,p=2$H8NYa20NgTDG+L8XYgwBoA$jjx9hbzgI+GWTTfpX18bYWnZAh5w0sotR6q1aQIPxAg',
  ],
  ['pässwörd ☃', '$scrypt$ln=6,r=4,p=3$dM55r9V6D2Gs$B5fMwCHSxqH0ziLvB/f8klSoJjdfkDuCdINxbC2Ybvc'],
]
const [, , , [, good]] = hashes as [unknown, unknown, unknown, [string, string]]

describe('verify()', () => {
  it('scrypt’s verify() accepts hashes from other implementations (RFC 7914 §12)', () => {
    for (const [password, stored] of hashes) {
      assert.equal(verify(Buffer.from(password), stored), true, stored)
      assert.equal(verify(Buffer.from(`${password}x`), stored), false, stored)
    }
  })

  it('scrypt’s verify() returns false if a parameter, the salt or the hash was altered', () => {
    for (const [from, to] of [
      ['ln=7', 'ln=8'],
      ['r=8', 'r=9'],
      ['p=2', 'p=1'],
      ['$H8', '$H9'],
      ['$jj', '$jk'],
    ] as const)
      assert.equal(verify(Buffer.from(staple), good.replace(from, to)), false, to)
  })

  it('scrypt’s verify() refuses a password with NUL bytes at the end (RFC 2104 §2)', () => {
    for (const password of [`${staple}\0`, `${staple}\0\0`])
      assert.equal(verify(Buffer.from(password), good), false, JSON.stringify(password))
  })

  it('scrypt’s verify() can check hashes that need more than Node’s default memory limit', () => {
    for (const parameters of ['ln=17,r=8,p=1', 'ln=1,r=8,p=9999', 'ln=10,r=999,p=1'])
      assert.equal(
        verify(Buffer.from(staple), good.replace('ln=7,r=8,p=2', parameters)),
        false,
        parameters,
      )
  })

  it('scrypt’s verify() throws if isHash() is false for the stored hash', () => {
    assert.throws(() => verify(Buffer.from(staple), `${good}=`), /must be a scrypt PHC string/)
  })
})

describe('isHash', () => {
  const withParameters = (ln: number | string, r: number | string, p: number | string): string =>
    good.replace('ln=7,r=8,p=2', `ln=${ln},r=${r},p=${p}`)

  it('scrypt’s isHash() is false for a cut or malformed hash, or bad base64', () => {
    assert.equal(isHash(good), true)
    const bad = [
      '',
      '$scrypt$',
      good.slice(0, good.lastIndexOf('$')),
      good.slice(0, good.lastIndexOf('$') + 1),
      good.slice(0, good.lastIndexOf('$') + 21),
      good.slice(0, -2),
      good.replace(/.$/, 'h'), // unused bits are not zero
      `${good}=`,
      ` ${good}`,
      `${good}\n`,
      good.replace('ln=7,r=8', 'r=8,ln=7'),
      good.replace(',p=2', ''),
      good.replace('H8NYa20NgTDG+L8XYgwBoA', 'H8NYa20NgTDG-L8XYgwBoA'),
      good.replace('H8NYa20NgTDG+L8XYgwBoA', 'H8NYa20NgTDG+L8XYgwBo'),
      good.replace('H8NYa20NgTDG+L8XYgwBoA', 'H8NYa20NgTDG+L8XYgwBoB'),
      good.replace('scrypt', 'scrypt2'),
    ]
    for (const stored of bad) assert.equal(isHash(stored), false, stored)
  })

  it('scrypt’s isHash() is false for impossible or misspelt parameters (RFC 7914 §2)', () => {
    const bad = [
      [0, 8, 1],
      [7, 0, 1],
      [7, 8, 0],
      [16, 1, 1],
      ['07', 8, 1],
      [7, '08', 1],
      [7, 8, '01'],
      ['-7', 8, 1],
      ['7.5', 8, 1],
      ['1e1', 8, 1],
    ] as const
    for (const [ln, r, p] of bad)
      assert.equal(isHash(withParameters(ln, r, p)), false, `${ln} ${r} ${p}`)
    assert.equal(isHash(withParameters(15, 1, 1)), true)
  })

  it('scrypt’s isHash() is false for a hash that needs too much memory or time', () => {
    const table = [
      [20, 8, 1, true],
      [20, 9, 1, false],
      [20, 8, 2, false],
      [21, 8, 1, false],
      [14, 8, 64, true],
      [14, 8, 65, false],
      [63, 8, 1, false],
      [99, 999, 9_999, false],
    ] as const
    for (const [ln, r, p, expected] of table)
      assert.equal(isHash(withParameters(ln, r, p)), expected, `${ln} ${r} ${p}`)
  })
})
