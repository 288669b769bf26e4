import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accentsOf, accentStyle, contrastOf, type Accent } from './accent.ts'

/** The neutral colours of pages.css on which derived colours stand, and that stand on them. */
const neutral = {
  light: { surface: '#ffffff', ink: '#1a1a20', soft: '#595965' },
  dark: { surface: '#1b1b20', ink: '#ececf0', soft: '#a9a9b5' },
}

/** All colours whose parts are multiples of 15: 5,832. */
function* allColors(): Generator<string> {
  const parts = Array.from({ length: 18 }, (_, n) => (n * 15).toString(16).padStart(2, '0'))
  for (const red of parts)
    for (const green of parts) for (const blue of parts) yield `#${red}${green}${blue}`
}

/** The pairs of text and ground, and of border and ground, in a scheme. */
function pairsOf(accent: Accent, scheme: 'light' | 'dark') {
  const { surface, ink, soft } = neutral[scheme]
  const { ground, accentSoft } = accent
  const texts = [
    [accent.onAccent, accent.accent],
    [accent.onAccent, accent.accentHover],
    [accent.onField, accent.field],
    [accent.onField, accent.field2],
    ...[surface, ground, accentSoft].map((on) => [accent.accentText, on] as const),
    ...[ground, accentSoft].map((on) => [ink, on] as const),
    [soft, ground],
  ] as const
  const edges = [surface, ground].map((on) => [accent.accentEdge, on] as const)
  return { texts, edges }
}

describe('the colours that are derived from appColor', () => {
  it('all 5,832 colours in steps of 15 give texts of 4.5:1 and borders of 3:1', () => {
    let count = 0
    const lowest = { text: 21, edge: 21 }
    for (const color of allColors()) {
      count++
      const accents = accentsOf(color)
      for (const scheme of ['light', 'dark'] as const) {
        const { texts, edges } = pairsOf(accents[scheme], scheme)
        for (const [text, ground] of texts)
          lowest.text = Math.min(lowest.text, contrastOf(text, ground))
        for (const [edge, ground] of edges)
          lowest.edge = Math.min(lowest.edge, contrastOf(edge, ground))
      }
    }
    assert.equal(count, 5_832)
    assert.ok(lowest.text >= 4.5, String(lowest.text))
    assert.ok(lowest.edge >= 3, String(lowest.edge))
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
