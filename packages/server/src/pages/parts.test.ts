import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkOf, codeAttributes, fieldOf } from './field.ts'
import type { Html } from './html.ts'
import {
  actionsOf,
  breakable,
  buttonOf,
  codesOf,
  detailsOf,
  emblemOf,
  faultOf,
  jumpOf,
  linksOf,
  noteOf,
  partOf,
  pointsOf,
  rowsOf,
  secretOf,
  stepsOf,
  tagOf,
  whoOf,
} from './parts.ts'

const attack = '"><script>alert(1)</script>&'
const link = { label: attack, href: attack }

/** Each part, with an attack in each of its strings. */
const attacked: Readonly<Record<string, Html | undefined>> = {
  actions: actionsOf({ ...link, of: attack }, { label: attack, of: attack }),
  code: fieldOf({ name: 'code', label: attack, attributes: codeAttributes(attack) }),
  codes: codesOf([attack]),
  breakable: breakable(attack),
  check: checkOf({ name: attack, label: attack }),
  details: detailsOf(attack, attack),
  fault: faultOf(attack),
  jump: jumpOf(attack, [link]),
  links: linksOf(link),
  note: noteOf(attack, { tone: 'care' }),
  part: partOf({ id: attack, title: attack, hint: attack, content: noteOf(attack) }),
  points: pointsOf(['warning', attack]),
  rows: rowsOf([{ icon: 'phone', title: attack, hint: attack }]),
  secret: secretOf(attack),
  steps: stepsOf([{ title: attack, content: noteOf(attack) }]),
  tag: tagOf(attack, 'done'),
  who: whoOf(attack, attack, link),
}

describe('the parts of pages', () => {
  for (const [name, { text = '' } = {}] of Object.entries(attacked))
    it(`the part "${name}" of a page escapes each string that it shows`, () => {
      assert.match(text.replaceAll(/<\/?span>| /g, ''), /&#34;&#62;&#60;s/)
      assert.doesNotMatch(text, /<script|"">|&(?!#\d+;)/)
    })

  it('a button of a page is a link with an address, and otherwise sends its form', () => {
    assert.equal(
      buttonOf({ label: 'Go', href: '/x', kind: 'second', isSlim: true, of: ' there' }).text,
      '<a class="button second slim" href="/x">Go<span class="unseen"> there</span></a>',
    )
    assert.equal(
      buttonOf({ label: 'Delete', kind: 'danger' }).text,
      '<button class="button danger">Delete</button>',
    )
    assert.equal(linksOf(), undefined)
  })

  it('a copied secret has no spaces, and an address does not break before its end', () => {
    assert.equal(secretOf('ABCDEFGH').text.replaceAll(/<[^>]*>/g, ''), 'ABCDEFGH')
    const addresses = ['ada.king@gmail.com', 'ada@mail.example.org', 'ada@localhost']
    assert.deepEqual(
      addresses.map((address) => breakable(address).text.split('<wbr>')),
      [
        ['ada.', 'king@', 'gmail.com'],
        ['ada@', 'mail.', 'example.org'],
        ['ada@', 'localhost'],
      ],
    )
  })

  it('screen readers say at once that something is done or wrong, but not other notes', () => {
    assert.match(noteOf('x', { tone: 'done' }).text, /^<p class="note done" role="status">/)
    assert.match(faultOf('x').text, /^<p class="note wrong" role="alert">/)
    for (const note of [noteOf('x'), noteOf('x', { tone: 'care', icon: 'lock' })])
      assert.doesNotMatch(note.text, /role=/)
    assert.equal(
      emblemOf({ icon: 'check', tone: 'done' }).text.slice(0, 26),
      '<span class="emblem done">',
    )
  })

  it('a field that may stay empty, and a box that need not be ticked, are not required', () => {
    const field = { name: 'x', label: 'X' }
    assert.match(fieldOf(field).text, / required/)
    assert.match(checkOf(field).text, / required/)
    assert.doesNotMatch(fieldOf({ ...field, isOptional: true }).text, / required/)
    assert.doesNotMatch(checkOf({ ...field, isOptional: true }).text, / required/)
  })
})
