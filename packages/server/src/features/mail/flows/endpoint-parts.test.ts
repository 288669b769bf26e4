import assert from 'node:assert/strict'
import { it } from 'node:test'
import * as z from 'zod'
import { describeFields } from '../../../http/fields.ts'
import { presentedOf, proofFields, requestAccepted } from './endpoint-parts.ts'

it('a body confirms a mail with a token, or with a code and its request id', () => {
  assert.deepEqual(presentedOf({ token: 'a' }), { token: 'a' })
  assert.deepEqual(presentedOf({ request_id: 'a', code: 'b' }), { requestId: 'a', code: 'b' })
  for (const wrong of [
    {},
    { token: 'a', request_id: 'b' },
    { token: 'a', code: 'b' },
    { token: 'a', request_id: 'b', code: 'c' },
    { request_id: 'b' },
    { code: 'b' },
  ])
    assert.throws(() => presentedOf(wrong), { code: 'unprocessable_content', errors: [] })
  assert.deepEqual(describeFields(z.object({ code: proofFields.code }))['properties'], {
    code: { type: 'string', example: '1234 5678' },
  })
  assert.deepEqual(requestAccepted.schema, {
    type: 'object',
    properties: { request_id: { type: 'string' } },
    required: ['request_id'],
  })
})
