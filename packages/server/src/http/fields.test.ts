import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeFields, strictFields, stringField } from './fields.ts'

describe('describeFields', () => {
  it('describeFields returns the JSON Schema of the body', () => {
    const schema = strictFields({ name: stringField(), scope: stringField().default('') })
    assert.deepEqual(describeFields(schema), {
      type: 'object',
      properties: { name: { type: 'string' }, scope: { type: 'string', default: '' } },
      required: ['name'],
      additionalProperties: false,
    })
  })
})
