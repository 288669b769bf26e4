import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError, readWebRequest } from 'keystile/internal'
import * as z from 'zod'
import { strictFields, stringField } from './fields.ts'
import { checkFields, getFields, readJsonObject, refuseFaults } from './json-body.ts'

const read = (body: string, contentType = 'application/json'): Promise<object> =>
  readJsonObject(
    readWebRequest(
      new Request('https://auth.example', {
        method: 'POST',
        headers: { 'content-type': contentType },
        body: Buffer.from(body),
      }),
    ),
  )

describe('readJsonObject', () => {
  it('readJsonObject accepts every content type of JSON', async () => {
    for (const type of [
      'application/json',
      'Application/JSON; charset=utf-8',
      'application/problem+json',
      'application/a.b-c+json',
    ])
      assert.deepEqual(await read('{"a":1}', type), { a: 1 }, type)
  })

  it('readJsonObject throws 415 if the content type is not JSON', async () => {
    for (const type of [
      '',
      'text/json',
      'application/jsonp',
      'application/x',
      'application/+json',
      'text/application/json',
    ])
      await assert.rejects(read('{}', type), { code: 'unsupported_media_type' }, type)
  })

  it('readJsonObject refuses a body that is not an object or has a member twice', async () => {
    for (const body of ['', '[]', 'secret', '{"secret":1,"secret":1}'])
      await assert.rejects(read(body), (error) => {
        assert.ok(error instanceof ProblemError)
        assert.equal(error.status, 400)
        assert.match(
          error.message,
          /^The body must be one JSON object; this one is (not|ambiguous)/,
        )
        assert.doesNotMatch(error.message, /secret/)
        return true
      })
  })

  it('readJsonObject accepts a body of 65,536 bytes and refuses a longer one', async () => {
    assert.ok(await read(`{"a":"${'x'.repeat(65_528)}"}`))
    await assert.rejects(read(`{"a":"${'x'.repeat(65_529)}"}`), { code: 'content_too_large' })
  })
})

describe('checkFields', () => {
  const schema = strictFields({
    name: stringField(),
    deep: z.array(stringField()).optional(),
    n: z.number().optional(),
  })

  it('checkFields returns the fields of a body that matches the schema', () => {
    assert.deepEqual(checkFields(schema, { name: 'x' }), { errors: [], fields: { name: 'x' } })
  })

  it('checkFields returns each fault with its path and the error name from Pydantic', () => {
    const { errors, fields } = checkFields(schema, { deep: ['a', 1], n: 'x', more: 1 })
    assert.equal(fields, undefined)
    assert.deepEqual(
      errors.map(({ loc, type }) => [loc, type]),
      [
        [['body', 'name'], 'missing'],
        [['body', 'deep', 1], 'string_type'],
        [['body', 'n'], 'value_error'],
        [['body'], 'extra_forbidden'],
      ],
    )
    assert.equal(errors[0]!.msg, 'Field required')
    assert.equal(errors[3]!.msg, 'Unknown members; expected are name, deep, n')
  })

  it('checkFields distinguishes a field with a wrong type from a missing field', () => {
    for (const name of [1, null, [], {}]) {
      const { errors } = checkFields(schema, { name })
      assert.deepEqual(errors, [
        { loc: ['body', 'name'], msg: 'Input should be a valid string', type: 'string_type' },
      ])
    }
  })

  it('checkFields reports unknown members only for an object', () => {
    const { errors } = checkFields(strictFields({ inner: strictFields({}) }), { inner: 1 })
    assert.deepEqual(
      errors.map(({ loc, type }) => [loc, type]),
      [[['body', 'inner'], 'value_error']],
    )
  })
})

describe('getFields', () => {
  it('getFields throws the faults of the fields and the faults of other checks', () => {
    const other = { loc: ['body', 'more'], msg: 'is wrong', type: 'value_error' }
    const missing = { loc: ['body', 'name'], msg: 'Field required', type: 'missing' }
    const schema = strictFields({ name: stringField() })
    assert.deepEqual(getFields(checkFields(schema, { name: 'x' })), { name: 'x' })
    assert.throws(() => getFields(checkFields(schema, { name: 'x' }), [other]), { errors: [other] })
    assert.throws(() => getFields(checkFields(schema, {}), [other]), { errors: [missing, other] })
  })
})

describe('refuseFaults', () => {
  it('refuseFaults does not throw if there are no faults', () => {
    assert.doesNotThrow(() => refuseFaults([]))
  })

  it('refuseFaults throws a 422 error with all faults as text and as a list (RFC 9457)', () => {
    const errors = [
      { loc: ['body', 'a', 0], msg: 'is wrong', type: 'value_error' },
      { loc: ['body'], msg: 'Unknown members', type: 'extra_forbidden' },
    ]
    assert.throws(
      () => refuseFaults(errors),
      (error) => {
        assert.ok(error instanceof ProblemError)
        assert.deepEqual([error.status, error.message], [422, 'a.0: is wrong; Unknown members'])
        assert.deepEqual(error.errors, errors)
        return true
      },
    )
  })
})
