import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Demand } from '../guard/demand.ts'
import { refusalsOf, refusalSchemas } from './refusals.ts'

const demand = (
  alternatives: Demand['alternatives'] = [[]],
  more: Partial<Demand> = {},
): Demand => ({
  alternatives,
  maxAgeSeconds: undefined,
  acr: undefined,
  verified: false,
  optional: false,
  ...more,
})

const textsOf = (...demands: readonly Demand[]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(refusalsOf(demands, {})).map(([status, answer]) => [
      status,
      (answer as { description: string }).description,
    ]),
  )

const always = {
  400: 'The Authorization header is malformed',
  503: 'Tokens cannot be checked at the moment',
}

describe('refusalSchemas', () => {
  it('the schema KeystileProblem has the members of RFC 9457, and Keystile’s own code', () => {
    const { type, properties, required } = refusalSchemas['KeystileProblem'] as {
      readonly type: string
      readonly properties: Readonly<Record<string, { readonly type: string }>>
      readonly required: readonly string[]
    }
    const types = Object.entries(properties).map(([name, { type }]) => `${name}: ${type}`)
    assert.deepEqual(types, [
      'type: string',
      'title: string',
      'status: integer',
      'detail: string',
      'code: string',
    ])
    assert.deepEqual([type, required], ['object', ['type', 'title', 'status', 'detail']])
  })
})

describe('refusalsOf', () => {
  it('refusalsOf describes for each status why a guard can refuse a request', () => {
    assert.deepEqual(textsOf(demand()), { ...always, 401: 'No token, or an invalid token' })
    assert.deepEqual(textsOf(demand([[]], { optional: true })), {
      ...always,
      401: 'An invalid token',
    })
    assert.deepEqual(textsOf(demand([[]], { maxAgeSeconds: 60 })), {
      ...always,
      401: 'No token, or an invalid token, or a login that is too old',
    })
    assert.deepEqual(textsOf(demand([[]], { acr: ['mfa'] })), {
      ...always,
      401: 'No token, or an invalid token, or a login that is too weak',
    })
  })

  it('refusalsOf lists alternative scopes, and omits the 403 if no scope is needed', () => {
    assert.equal(textsOf(demand([['a', 'b'], ['c']]))[403], 'The token lacks a b, or c')
    assert.equal(textsOf(demand([['a'], []]))[403], undefined)
  })

  it('refusalsOf adds a 403 if a guard demands a verified e-mail address', () => {
    const text = 'The e-mail address of the user is not verified'
    assert.equal(textsOf(demand([[]], { verified: true }))[403], text)
    assert.equal(textsOf(demand(), demand([[]], { verified: true }))[403], text)
    assert.equal(textsOf(demand([['a']], { verified: true }))[403], `The token lacks a. ${text}`)
  })

  it('refusalsOf describes WWW-Authenticate for a 403 only if a guard demands a scope', () => {
    const headersOf = (one: Demand): unknown =>
      (refusalsOf([one], {}) as Record<string, { headers?: object }>)['403']?.headers
    assert.equal(headersOf(demand([[]], { verified: true })), undefined)
    for (const verified of [true, false])
      assert.deepEqual(Object.keys(Object(headersOf(demand([['a']], { verified })))), [
        'WWW-Authenticate',
      ])
  })

  it('refusalsOf combines the guards of several issuers into one description per status', () => {
    const texts = textsOf(
      demand([['a']], { optional: true }),
      demand([[]]),
      demand([['b']], { maxAgeSeconds: 60 }),
    )
    assert.equal(texts[401], 'No token, or an invalid token, or a login that is too old')
    assert.equal(texts[403], 'The token lacks a, or b')
  })

  it('refusalsOf keeps the responses and the descriptions that the app wrote', () => {
    const own = {
      200: { description: 'Found' },
      401: {
        description: 'Who?',
        headers: { 'X-Own': {}, 'WWW-Authenticate': { description: 'mine' } },
        'x-more': 1,
      },
      503: { $ref: '#/components/responses/Busy' },
    }
    const merged = refusalsOf([demand()], own) as Record<string, Record<string, unknown>>
    assert.deepEqual(Object.keys(merged), ['200', '400', '401', '503'])
    assert.equal(merged['200'], own[200])
    assert.equal(merged['503'], own[503])
    const { headers, content, ...rest } = merged['401']!
    assert.deepEqual(rest, { description: 'Who?', 'x-more': 1 })
    assert.deepEqual(headers, { 'WWW-Authenticate': { description: 'mine' }, 'X-Own': {} })
    assert.deepEqual(Object.keys(content as object), ['application/problem+json'])
  })

  it('refusalsOf describes WWW-Authenticate for 400 and 401, and Retry-After for 503', () => {
    const refusals = refusalsOf([demand()], {}) as Record<string, { headers: object }>
    const schema = { type: 'string' }
    const challenge = { 'WWW-Authenticate': { description: 'RFC 6750 §3', schema } }
    assert.deepEqual(refusals['400']?.headers, challenge)
    assert.deepEqual(refusals['401']?.headers, challenge)
    assert.deepEqual(refusals['503']?.headers, {
      'Retry-After': { description: 'Whole seconds', schema },
    })
  })
})
