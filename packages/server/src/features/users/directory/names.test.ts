import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { countedLogin } from './counted-login.ts'
import { isSameMailbox, parseEmail, parseUsername } from './names.ts'

describe('parseUsername', () => {
  it('parseUsername returns a name as typed, and its lower-case form as key', () => {
    assert.deepEqual(parseUsername('Ada.Love-lace_1'), {
      shown: 'Ada.Love-lace_1',
      key: 'ada.love-lace_1',
    })
  })

  it('parseUsername accepts 2 to 63 characters', () => {
    assert.equal(parseUsername('a'), undefined)
    assert.ok(parseUsername('ab'))
    assert.ok(parseUsername('a'.repeat(63)))
    assert.equal(parseUsername('a'.repeat(64)), undefined)
  })

  it('parseUsername refuses a name that looks like another name or an e-mail address', () => {
    const lookAlikes = [
      'аda',
      'ada\u200b',
      'ａｄａ',
      '\u212aelvin',
      'ad\u0131',
      'straße',
      'ada@x',
      'ada lovelace',
      ' ada',
      'ada\n',
      '.ada',
      '-ada',
      '_ada',
      '',
    ]
    for (const name of lookAlikes)
      assert.equal(parseUsername(name), undefined, JSON.stringify(name))
  })
})

describe('parseEmail', () => {
  it('parseEmail keeps the part before the @ as typed, and converts the domain to ASCII', () => {
    assert.deepEqual(parseEmail('John.Doe+x@EXAMPLE.com'), {
      shown: 'John.Doe+x@example.com',
      key: 'john.doe+x@example.com',
    })
    assert.equal(parseEmail('jö@münchen.de')!.shown, 'jö@xn--mnchen-3ya.de')
    assert.equal(parseEmail('user@例え.jp')!.shown, 'user@xn--r8jz45g.jp')
  })

  it('parseEmail treats two Unicode forms of the same letter as equal (RFC 6531 §3.3)', () => {
    assert.equal(parseEmail('jo\u0308@example.com')!.key, parseEmail('JÖ@example.com')!.key)
  })

  it('parseEmail refuses text that is not an e-mail address', () => {
    const bad = [
      '',
      'a',
      'a@',
      '@b.com',
      'a@b',
      'a@@b.com',
      'a b@c.de',
      '"q"@c.de',
      'x@-a.com',
      'x@a-.com',
      'x@a..com',
      '.x@a.com',
      'x.@a.com',
      'x..y@a.com',
      'x@[127.0.0.1]',
      'x@1.2.3.4',
      'x@0x7f.1',
      'x@a.com\n',
      'x@a\t.com',
      'x\u0000@a.com',
      'x\u200b@a.com',
      'a＠b.com',
      'x@a.com ',
      ' x@a.com',
      'Foo <x@a.com>',
      'x@a.com,y@a.com',
      'x@a.c_m',
      'x@a.1',
      'x@a.com.1a',
      'x@.com',
      '\ud800@a.com',
      'x@a.com\u202e',
      'x@a.com.',
      'x@a.com/',
      'x@a.com/b.com',
      'x@a.com?b.com',
      'x@a.com#.b.com',
      'x@a.com\\b.com',
      'x@a.com:25',
      'x@%61.com',
      'x@a.com%2eb',
    ]
    for (const email of bad) assert.equal(parseEmail(email), undefined, JSON.stringify(email))
  })

  it('parseEmail refuses local parts that a mail program may run, open or decode', () => {
    const bad = [
      '=?utf-8?q?ada=40bank.example=3e?=',
      'a=?',
      '-oQ/tmp',
      '-',
      '|/bin/sh',
      '|',
      '/tmp/a',
    ]
    for (const local of bad) assert.equal(parseEmail(`${local}@example.com`), undefined, local)
    for (const local of ['a-', 'a|', 'a/b', 'a=b', 'a?', '=', '?='])
      assert.ok(parseEmail(`${local}@example.com`), local)
  })

  it('parseEmail applies the length limits of RFC 5321 §4.5.3.1 to bytes', () => {
    assert.ok(parseEmail('x@y.example'))
    assert.ok(parseEmail(`${'x'.repeat(64)}@example.com`))
    assert.equal(parseEmail(`${'x'.repeat(65)}@example.com`), undefined)
    assert.equal(parseEmail(`${'ö'.repeat(33)}@example.com`), undefined)
    const domain = (length: number): string =>
      `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(length)}`
    assert.ok(parseEmail(`${'x'.repeat(64)}@${domain(6)}`))
    assert.equal(parseEmail(`${'x'.repeat(64)}@${domain(7)}`), undefined)
  })

  it('parseEmail refuses more than 320 characters, even if conversion would shorten them', () => {
    // Mathematical letters are two code units each, and normalise to one letter.
    const domain = (folded: number): string => {
      const letters = Array.from({ length: 245 }, (_, at) => (at < folded ? '\u{1d41a}' : 'a'))
      return [0, 60, 120, 180, 240].map((at) => letters.slice(at, at + 60).join('')).join('.')
    }
    assert.equal(`x@${domain(69)}`.length, 320)
    assert.ok(parseEmail(`x@${domain(69)}`))
    assert.equal(parseEmail(`x@${domain(70)}`), undefined)
  })
})

describe('isSameMailbox', () => {
  it('isSameMailbox() ignores the case of ASCII letters only', () => {
    assert.ok(isSameMailbox('Ada@example.com', 'aDA@example.com'))
    for (const [one, other] of [
      ['ada@example.com', 'eva@example.com'],
      ['\u00df@example.com', '\u1e9e@example.com'],
      ['i\u0307@example.com', '\u0130@example.com'],
      ['\u00f6@example.com', '\u00d6@example.com'],
      ['ada@example.com', null],
      [null, null],
    ] as const)
      assert.ok(!isSameMailbox(one, other), String(one))
  })
})

describe('countedLogin', () => {
  it('countedLogin() returns equal texts for names that a directory may treat as equal', () => {
    for (const spellings of [
      ['ada', 'ADA', ' Ada\n', 'a\u0301da', '\u00e1da', 'a\u200bda', '\uff41da', 'ad\0a'],
      [
        'ada@xn--exmple-cua.com',
        'ADA@EX\u00c4MPLE.com',
        'ada@ex\u00e4mple\u3002com',
        'ada@exa\u0308mple.com',
      ],
      ['stra\u00dfe', 'STRASSE', '\u017ftrasse', 'STRA\u1e9eE'],
      ['\u03b1\u03c3', '\u0391\u03a3', '\u03b1\u03c2'],
      ['x'.repeat(320), 'x'.repeat(321), 'x'.repeat(60_000)],
      ['ada1985', 'ada\u0661985', 'ada1\u096f85', '\u24b6da1985', 'a\u0640da1985'],
      ['\u3042\u3044', '\u30a2\u30a4', '\uff71\uff72', '\u3041\u30a3'],
      ['michael', 'mich\u00e6l', 'MICH\u00c6L'],
      ['\u043e\u043b', '\u2dea\u043b', '\u043e\u2de7'],
      ['\u0e40\u0e01', '\u0e01\u0e40'],
      [
        'ada@example.com',
        'ada@ex\u00e1mple.com',
        'ada@example.c\u00f8m',
        '\u00e5da@EX\u00c4MPLE.com',
      ],
    ])
      assert.equal(new Set(spellings.map(countedLogin)).size, 1, spellings[0]!.slice(0, 20))
  })

  it('countedLogin() returns equal texts for letters that Unicode’s root collation treats as equal', () => {
    const apart = equalInCollation().filter((group) => new Set(group.map(countedLogin)).size > 1)
    assert.deepEqual(apart.slice(0, 10), []) // if not, run tools/equal-letters.ts
  })

  it('countedLogin() returns equal texts for addresses that Unicode’s root collation treats as equal', () => {
    const groups = new Map(
      equalInCollation().flatMap((group) => group.map((text) => [text, group] as const)),
    )
    const plain = 'michael.strasse.1985@example.org'
    const parts: readonly string[] = plain.match(/ae|ss|./g) ?? []
    const spellings = parts.flatMap((part, at) =>
      (groups.get(part) ?? []).flatMap((equal, n) => [
        parts.with(at, equal).join(''),
        parts.map((each) => groups.get(each)?.at(n % 50) ?? each).join(''),
      ]),
    )
    assert.ok(spellings.length > 1_000)
    const { compare } = rootCollation
    const apart = spellings.filter(
      (typed) => compare(typed, plain) === 0 && countedLogin(typed) !== countedLogin(plain),
    )
    assert.deepEqual(apart.slice(0, 10), [])
  })

  it('countedLogin() returns different texts for different names', () => {
    const names = [
      'ada',
      'bob',
      'a-da',
      'ada1',
      'ada@example.com',
      'ada@example.org',
      'ada.example.com',
      '',
    ]
    assert.equal(new Set(names.map(countedLogin)).size, names.length)
  })
})

const rootCollation = new Intl.Collator('und', { sensitivity: 'base', ignorePunctuation: false })

/** Groups all code points and pairs of ASCII letters that the collation treats as equal. */
function equalInCollation(): readonly (readonly string[])[] {
  const { compare } = rootCollation
  const ascii = Array.from('abcdefghijklmnopqrstuvwxyz')
  const points = Array.from({ length: 0x110000 }, (_, point) => String.fromCodePoint(point))
  const texts = [
    ...ascii.flatMap((first) => ascii.map((second) => first + second)),
    ...points.filter((letter) => !/[\p{Cs}\p{Co}\p{Cn}]/u.test(letter)),
  ].toSorted(compare)

  const groups: string[][] = []
  for (const text of texts) {
    const group = groups.at(-1)
    if (group?.[0] !== undefined && compare(group[0], text) === 0) group.push(text)
    else groups.push([text])
  }
  return groups.filter((group) => group.length > 1)
}
