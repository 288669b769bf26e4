import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { accentsOf, accentStyle, contrastOf } from './accent.ts'

const pagesCss = readFileSync(join(import.meta.dirname, '../../pages/pages.css'), 'utf8')

/** Each text of pages.css and the mails, and what it stands on. */
const texts: Grounds = {
  'on-accent': ['accent', 'accent-hover'],
  'on-field': ['field', 'field-2'],
  'accent-text': ['surface', 'ground', 'accent-soft'],
  ink: ['surface', 'ground', 'accent-soft', 'bad-soft', 'good-soft', 'warn-soft'],
  soft: ['surface', 'ground'],
  bad: ['surface', 'bad-soft'],
  good: ['surface', 'good-soft'],
  warn: ['surface', 'warn-soft'],
  surface: ['bad', 'ink', 'soft'],
}
/** Each border of a control, and what is around it. */
const edges: Grounds = {
  'accent-edge': ['surface', 'ground'],
  edge: ['surface'],
  bad: ['surface'],
  ink: ['surface', 'accent-soft'],
}

type Grounds = Readonly<Record<string, readonly string[]>>
type Colors = ReadonlyMap<string, string>

/** Returns the colours of a stylesheet by the names of their custom properties. */
function colorsOf(style: string): readonly Colors[] {
  return style.split(/@media \(prefers-color-scheme: ?dark\)/).map((scheme) => {
    const found = scheme.matchAll(/--([\w-]+): ?#([\da-f]{3,6})\b/g)
    return new Map([...found].map(([, name = '', hex = '']) => [name, `#${hex.padEnd(6, hex)}`]))
  })
}

/** All colours whose parts are multiples of 15: 5,832. */
function* allColors(): Generator<string> {
  const parts = Array.from({ length: 18 }, (_, n) => (n * 15).toString(16).padStart(2, '0'))
  for (const red of parts)
    for (const green of parts) for (const blue of parts) yield `#${red}${green}${blue}`
}

/** Returns the lowest contrast of some pairs. */
function lowestOf(pairs: Grounds, colors: Colors): number {
  const of = (name: string): string => colors.get(name) ?? assert.fail(name)
  return Math.min(
    ...Object.entries(pairs).flatMap(([name, grounds]) =>
      grounds.map((ground) => contrastOf(of(name), of(ground))),
    ),
  )
}

describe('the colours that are derived from appColor', () => {
  it('all 5,832 colours in steps of 15 give texts of 4.5:1 and borders of 3:1', () => {
    const neutral = colorsOf(pagesCss.slice(0, pagesCss.indexOf('/* Ground */')))
    let count = 0
    const lowest = { text: 21, edge: 21 }
    for (const color of allColors()) {
      count++
      for (const [scheme, derived] of colorsOf(accentStyle(accentsOf(color))).entries()) {
        const colors = new Map([...(neutral[scheme] ?? []), ...derived])
        lowest.text = Math.min(lowest.text, lowestOf(texts, colors))
        lowest.edge = Math.min(lowest.edge, lowestOf(edges, colors))
      }
    }
    assert.equal(count, 5_832)
    assert.ok(lowest.text >= 4.5, String(lowest.text))
    assert.ok(lowest.edge >= 3, String(lowest.edge))
  })

  it('the contrast of each colour that pages.css uses is computed, except separators', () => {
    const computed = new Set([texts, edges].flatMap((pairs) => Object.entries(pairs).flat(2)))
    const used = [...pagesCss.matchAll(/^ +[\w-]*(?:color|ground|border|outline)[\w-]*:[^;]*;/gm)]
      .flatMap(([rule]) => [...rule.matchAll(/var\(--([\w-]+)/g)])
      .map(([, name = '']) => name)
    const others = new Set(used.filter((name) => !computed.has(name)))
    // `line` separates, and the others are one of the colours above.
    assert.deepEqual([...others].toSorted(), ['line', 'tint', 'tone'])
  })

  it('contrastOf computes the contrasts that WCAG gives as examples', () => {
    assert.equal(contrastOf('#000000', '#ffffff'), 21)
    assert.equal(contrastOf('#ffffff', '#ffffff'), 1)
    assert.equal(contrastOf('#767676', '#ffffff').toFixed(2), '4.54')
  })

  it('the stylesheet names the derived colours as pages.css uses them', () => {
    const style = accentStyle(accentsOf('#7a1fa2'))
    assert.match(style, /^:root\{--accent:#7a1fa2;--accent-hover:#8d3eaf;--on-accent:#ffffff;/)
    assert.match(
      style,
      /--field-2:#8a3aad;--on-field:#ffffff\}@media \(prefers-color-scheme:dark\)/,
    )
  })
})
