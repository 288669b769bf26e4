import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOnly } from './code-only.ts'

const kept = (source: string): string => codeOnly(source).replaceAll(/ +/g, ' ').trim()

describe('codeOnly', () => {
  it('codeOnly keeps each character of code at its position', () => {
    const source = "const a = 'any' // any\nlet b: any"
    assert.equal(codeOnly(source), "const a = '   '       \nlet b: any")
  })

  it('codeOnly replaces // and /* */ comments with spaces, but keeps line breaks', () => {
    assert.equal(kept('a /* any\nany */ b // any'), 'a \n b')
  })

  it('codeOnly removes strings with escaped quotes, but keeps the code after them', () => {
    assert.equal(kept(String.raw`f('it\'s any', "\"any\"") as any`), `f(' ', " ") as any`)
  })

  it('codeOnly removes the text of templates and keeps the code in them, even nested', () => {
    assert.equal(
      kept('`any ${x as any} any ${`any ${{ y: 1 }.y} any`} any` + any'),
      '` ${x as any} ${` ${{ y: 1 }.y} `} ` + any',
    )
  })

  it('codeOnly does not start a string at a quote inside a regular expression', () => {
    assert.equal(kept('const quotes = /[\'"/]/g; let b: any'), 'const quotes = / ; let b: any')
    assert.equal(kept("return /'/.test(x) && 'any'"), "return / .test(x) && ' '")
  })

  it('codeOnly does not treat a division as a regular expression', () => {
    assert.equal(
      kept("const half = a / 2 + b.c / 'any'.length"),
      "const half = a / 2 + b.c / ' '.length",
    )
    assert.equal(kept("f(a) / 2; g[1] / 2; 'any'"), "f(a) / 2; g[1] / 2; ' '")
  })

  for (const source of ["a\nconst b = 'c\n", 'a\n/* b', 'a\n`b', 'a\n`${b']) {
    it(`codeOnly reports the line of the unclosed part of ${JSON.stringify(source)}`, () => {
      assert.throws(() => codeOnly(source), /^Error: line 2: .* without an end$/)
    })
  }
})
