import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { profileFieldsOf } from './profile-fields.ts'

const words = { yes: 'Yes', no: 'No' }

/** Returns the fields for some required properties. Each is shown with what the person typed. */
function shown(
  properties: Readonly<Record<string, unknown>>,
  typed: Readonly<Record<string, string>> = {},
): readonly unknown[] {
  const { show } = profileFieldsOf({ properties, required: Object.keys(properties) })
  return show(new Map(Object.entries(typed)), words).map(({ attributes, ...field }) => ({
    ...field,
    ...(attributes && { attributes: attributes.text }),
  }))
}

/** Returns the value that a form gives for a property. */
function read(property: unknown, text: string): unknown {
  const fields = profileFieldsOf({ properties: { x: property }, required: ['x'] })
  return fields.read(new Map([['x', text]]))['x']
}

describe('the profile fields of a page', () => {
  it('a page asks only for required profile fields, never for one named token or code', () => {
    const text = { type: 'string' }
    const properties = { a: text, b: text, token: text, request_id: text, code: text }
    const required = ['a', 'token', 'request_id', 'code', 'missing', 'toString']
    const fields = profileFieldsOf({ properties, required })
    assert.deepEqual(fields.names, ['a'])
    assert.deepEqual(fields.read(new Map([['b', 'x']])), {})
    for (const schema of [{}, { properties }, { required }])
      assert.deepEqual(profileFieldsOf(schema).names, [])
  })

  it('a page can ask for all profile fields, with the stored values in them', () => {
    const properties = {
      city: { type: 'string' },
      size: { type: 'integer' },
      plan: { enum: ['free', 'paid'] },
      none: { type: 'string' },
      list: { type: 'array' },
    }
    const fields = profileFieldsOf({ properties, required: ['city'] }, 'all')
    const stored = { city: 'Paris', size: 4, plan: 'paid', none: null, list: [1] }
    const typed = fields.write(stored)
    assert.deepEqual([...typed.keys()], ['city', 'size', 'plan'])
    assert.deepEqual(fields.read(typed), { city: 'Paris', size: 4, plan: 'paid' })
    assert.deepEqual(
      fields.show(typed, words).map(({ isOptional }) => isOptional),
      [undefined, true, true, true],
    )
  })

  it('the HTML input of a profile field depends on the field’s type, format and title', () => {
    const label = 'x'
    for (const [property, attributes] of [
      [{ type: 'string' }, 'type="text" value=""'],
      [{ type: 'string', format: 'email' }, 'type="email" value=""'],
      [{ type: 'string', format: 'uri' }, 'type="url" value=""'],
      [{ type: 'string', format: 'date' }, 'type="date" value=""'],
      [{ type: 'string', format: 'uuid' }, 'type="text" value=""'],
      [{ type: 'string', format: 7 }, 'type="text" value=""'],
      [{ type: 'number' }, 'type="number" step="any" value=""'],
      [{ type: 'integer' }, 'type="number" step="any" value=""'],
      [{ type: ['null', 'integer'] }, 'type="number" step="any" value=""'],
      [{ anyOf: [{ type: 'null' }, { type: 'number' }] }, 'type="number" step="any" value=""'],
    ] as const)
      assert.deepEqual(shown({ x: property }), [{ name: 'x', label, attributes }])
    for (const property of [{}, { type: 'object' }, { type: 'array' }, { anyOf: [] }])
      assert.deepEqual(shown({ x: property }), [])
    assert.deepEqual(shown({ x: { type: 'string', title: 'A name' } }, { x: '"' }), [
      { name: 'x', label: 'A name', attributes: 'type="text" value="&#34;"' },
    ])
    assert.deepEqual(shown({ x: { type: 'string', title: 7 } })[0], {
      name: 'x',
      label,
      attributes: 'type="text" value=""',
    })
  })

  it('a page shows a profile field with few possible values as a list of choices', () => {
    const choices = (property: unknown, typed?: string): unknown =>
      (shown({ x: property }, typed === undefined ? {} : { x: typed })[0] as { choices: unknown })
        .choices
    const [yes, no] = [
      { value: 'true', label: 'Yes', isChosen: false },
      { value: 'false', label: 'No', isChosen: false },
    ]
    assert.deepEqual(choices({ type: 'boolean' }), [yes, no])
    assert.deepEqual(choices({ type: 'boolean' }, 'false'), [yes, { ...no, isChosen: true }])
    assert.deepEqual(choices({ const: true, type: 'boolean' }), [yes])
    assert.deepEqual(choices({ enum: ['a', 1] }), [
      { value: '"a"', label: 'a', isChosen: false },
      { value: '1', label: '1', isChosen: false },
    ])
    assert.deepEqual(choices({ anyOf: [{ enum: ['a'] }, { type: 'string' }] }), [
      { value: '"a"', label: 'a', isChosen: false },
    ])
  })

  it('a page asks once for a profile field that may have several types', () => {
    for (const alternatives of [
      [{ type: 'string' }, { type: 'number' }],
      [{ type: 'string' }, { enum: [1] }],
    ]) {
      const [field, ...others] = shown({ x: { anyOf: alternatives } })
      assert.deepEqual(field, { name: 'x', label: 'x', attributes: 'type="text" value=""' })
      assert.deepEqual(others, [])
    }
  })

  it('a page converts typed text to the profile field’s type, or else keeps the text', () => {
    for (const [property, text, expected] of [
      [{ type: 'string' }, '36', '36'],
      [{ type: 'integer' }, '36', 36],
      [{ type: 'number' }, '1.5', 1.5],
      [{ type: 'number' }, 'many', 'many'],
      [{ type: 'number' }, '1e999', '1e999'],
      [{ type: 'boolean' }, 'false', false],
      [{ type: 'boolean' }, 'no', 'no'],
      [{ enum: ['a', 1] }, '1', 1],
      [{ enum: ['a', 1] }, 'a', 'a'],
    ] as const)
      assert.equal(read(property, text), expected)
  })
})
