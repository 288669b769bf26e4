import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createPasswordPolicy, type PasswordOwner } from './policy.ts'

const issuer = 'https://auth.lovelace.example/v1'
const policy = createPasswordPolicy({ minLength: 15, issuer })
const withSecondFactor = createPasswordPolicy({ minLength: 8, issuer })
const anonymous: PasswordOwner = {}
const readJson = (specifier: string): readonly string[] =>
  JSON.parse(readFileSync(new URL(import.meta.resolve(specifier)), 'utf8'))

/** Returns the same random numbers in each run (mulberry32). */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

describe('the rules for a new password', () => {
  it('a new password must have a minimum number of code points and at most 1,024 bytes', () => {
    const eight = '🔑🗝️ ä7xQ'
    assert.equal(Array.from(eight).length, 8)
    assert.equal(withSecondFactor.findFault(eight, anonymous), undefined)
    assert.match(withSecondFactor.findFault('ä7xQ🔑🗝️', anonymous)!, /at least 8 characters/)
    assert.match(
      policy.findFault(`${eight}${eight.slice(0, 7)}`, anonymous)!,
      /at least 15 characters/,
    )
    const long = `${'an engine of her own '.repeat(2)}${'🔑'.repeat(245)}`
    assert.equal(Buffer.byteLength(long), 1_022)
    assert.equal(policy.findFault(`${long}ab`, anonymous), undefined)
    assert.match(policy.findFault(`${long}abc`, anonymous)!, /at most 1024 bytes/)
  })

  it('a new password cannot be one of 49,233 common passwords (ASVS V6.2.4, V6.2.12)', () => {
    const common = readJson('@zxcvbn-ts/language-common/src/passwords.json')
    assert.equal(common.length, 49_233)
    for (const [{ minLength, findFault }, expected] of [
      [withSecondFactor, 17_950],
      [policy, 41],
    ] as const) {
      const long = common.filter((word) => Array.from(word).length >= minLength)
      assert.equal(long.length, expected)
      for (const word of long)
        for (const typed of [word, word.toUpperCase()])
          assert.match(findFault(typed, anonymous)!, /one of the most common passwords/, typed)
    }
  })

  const refused = {
    'something short that is repeated': [
      'aaaaaaaaaaaaaaa',
      ' '.repeat(20),
      'abcabcabcabcabc',
      'x7Qx7Qx7Qx7Qx7Qx',
      'dragon dragon dragon',
      'zebra-7 zebra-7',
      'zebra fighter zebra fighter',
      'deadbeefDEADBEEF',
    ],
    'a row of letters, digits or keys': [
      '012345678901234',
      '987654321098765',
      'abcdefghijklmnop',
      'ponmlkjihgfedcba',
      'uvwxyzabcdefghi',
      'qwertyuiopasdfgh',
      'QWERTZUIOPasdfg',
      'azeqsdwxcklmaze',
      'aaaaabbbbbccccc!',
      'abc123xyz789qwe', // pieces of three characters on average
      'abcd1234EFGH5678',
      '1qaz2wsx3edc4rfv5tgb',
      '1q2w3e4r5t6y7u8i9o',
    ],
    'a common word with digits or signs around it': [
      'Password2024!!!',
      '1234567dragon!!!',
      'trustno1!!!!!!!',
      'letmein 1984-12-25',
      'nemvxyheqdd5oqxyxyzi!', // the longest entry of the blocklist
      `${'9'.repeat(12)}password`,
      `password${'7391'.repeat(10)}`,
    ],
    'something simple with digits or signs around it': [
      'zebrazebra12345!',
      'abcdef 19841225',
      'uvwx 492910483920',
    ],
  }
  for (const [what, passwords] of Object.entries(refused)) {
    it(`a new password cannot be ${what}`, () => {
      for (const password of passwords)
        assert.match(
          policy.findFault(password, anonymous)!,
          new RegExp(`should not be ${what};`),
          password,
        )
    })
  }

  it('a new password can be any string that no rule forbids (NIST SP 800-63B-4 §3.1.1.2)', () => {
    const good = [
      'correct horse battery staple',
      'an engine of her own',
      'one common word, password, among others',
      'tomorrow is fast', // it ends with the letter it begins with
      'x29384756102938', // a single letter is not a word
      'uvw 4929104839201', // three letters are not a word either
      'passwort 581972046315980', // the digits alone would be enough
      '4929104839201928',
      'before\0after and more',
      'zebra fighters zebra fighters',
      '🔑🗝️🚪🏠🌳🐈🐕🌧️🌈🚲🛶⛰️🌋🗻',
      'постоянство воды',
    ]
    for (const password of good)
      assert.equal(policy.findFault(password, anonymous), undefined, password)
  })

  it('the rules for new passwords accept thousands of random passphrases and strings', () => {
    const words = readJson('@zxcvbn-ts/language-common/src/diceware.json')
    const random = createRandom(25)
    const ada = { username: 'ada', email: 'ada@example.com' }
    const characters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'
    for (let i = 0; i < 10_000; i++) {
      const phrase = Array.from({ length: 4 }, () => words[random(words.length)]!).join(
        ' -_'[i % 3],
      )
      if (phrase.length >= 20) assert.equal(policy.findFault(phrase, ada), undefined, phrase)
      const text = Array.from({ length: 20 }, () => characters[random(characters.length)]!).join('')
      assert.equal(policy.findFault(text, ada), undefined, text)
      assert.equal(policy.findFault(text.slice(0, 15), anonymous), undefined, text)
      const digits = Array.from({ length: 16 }, () => random(10)).join('')
      assert.equal(policy.findFault(digits, anonymous), undefined, digits)
    }
  })

  it('the refusal of a new password gives advice and does not contain the password', () => {
    const message = policy.findFault('Dragon-12345678', anonymous)!
    assert.match(message, /several words that do not belong together/)
    assert.doesNotMatch(message, /dragon|1234/i)
  })
})

describe('names that a new password must not contain', () => {
  const faultOf = (password: string, owner: PasswordOwner = anonymous): string | undefined =>
    policy.findFault(password, owner)

  it('a new password cannot contain its user’s name (five letters or more) in any spelling', () => {
    const owner = { username: 'Count.ess', email: 'babbage+shop@example.com' }
    for (const password of [
      'my countess is asleep',
      'COUNT-ESS is awake now',
      'c o u n t e s s of the moon',
    ])
      assert.equal(faultOf(password, owner), 'Password should not contain your username', password)
    assert.equal(
      faultOf('mr. Babbage is awake', owner),
      'Password should not contain your e-mail address',
    )
    assert.equal(faultOf('mr. Babbage is awake'), undefined)
    assert.equal(
      faultOf('byron’s own daughter', { username: 'byron' }),
      'Password should not contain your username',
    )
    assert.equal(faultOf('mail of mr. example', owner), undefined)
  })

  it('if the issuer is https://lovelace.example, a new password cannot contain "lovelace"', () => {
    const inside = 'Password should not contain the name of this service'
    assert.equal(faultOf('my Lovelace account'), inside)
    const other = (url: string, password: string): string | undefined =>
      createPasswordPolicy({ minLength: 15, issuer: url }).findFault(password, anonymous)
    assert.equal(other('http://localhost:3000/auth', 'here at LOCALHOST now'), inside)
    assert.equal(other('https://xn--mnchen-3ya.example', 'in münchen steht was'), inside)
    assert.equal(other('https://lovelace.example', 'an example of nothing'), undefined)
    for (const address of [
      'http://127.0.0.1:3000',
      'http://[::1]:3000',
      'http://[fd00::abcd]:3000',
    ])
      assert.equal(other(address, 'mine 127 0 0 1 [::1] [fd00::abcd]'), undefined)
  })

  it('a user name of three or four letters does not count toward the length of a password', () => {
    const owner = { username: 'ada', email: 'adam@example.com' }
    assert.equal(faultOf('ada has an engine!', owner), undefined)
    const tooLittle = 'Password should have at least 15 characters besides your username'
    for (const password of [
      'Ada has engines',
      'ada ada-ADA a.d.a engines',
      'ada auth ada good one',
    ])
      assert.equal(faultOf(password, owner), tooLittle, password)
    assert.equal(faultOf('ada ada good word', owner), tooLittle)
    assert.equal(
      faultOf('adam and his apples'.slice(0, 15), { email: 'adam@example.com' }),
      'Password should have at least 15 characters besides your e-mail address',
    )
  })

  it('a new password may contain a two-letter name; regex characters in names are literal', () => {
    assert.equal(faultOf('ab ab engine yes', { username: 'ab' }), undefined)
    const owner = { email: 'a*b|c{3}$@example.com' }
    assert.equal(
      faultOf('an a*b|c{3}$ of his own', owner),
      'Password should not contain your e-mail address',
    )
    assert.equal(faultOf('abbbccc of his own!', owner), undefined)
    assert.equal(faultOf('nobody at all is here', { username: undefined, email: null }), undefined)
  })
})
