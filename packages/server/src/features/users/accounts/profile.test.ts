import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from 'keystile/internal'
import * as z from 'zod'
import { describeProfile, describeProfileInput, findReservedFields } from './described-profile.ts'
import { checkProfile, checkProfileChange, maxProfileBytes, type ProfileSchema } from './profile.ts'
import { describeManagedUser, describeUser } from './wire-user.ts'

const anything: ProfileSchema = z.record(z.string(), z.any())
const schema: ProfileSchema = z.object({ age: z.number(), tags: z.array(z.string()).optional() })

describe('checkProfile', () => {
  it('without a profile schema, checkProfile refuses every profile field', async () => {
    assert.deepEqual(await checkProfile({}, undefined, ['a']), { errors: [], profile: {} })
    const messageOf = async (ownFields: readonly string[]): Promise<unknown> =>
      (await checkProfile({ x: 1 }, undefined, ownFields)).errors
    const fault = { loc: ['body'], type: 'extra_forbidden' }
    assert.deepEqual(await messageOf(['a', 'b']), [
      { ...fault, msg: 'Unknown members; expected are a, b' },
    ])
    assert.deepEqual(await messageOf([]), [{ ...fault, msg: 'Unknown members; none are expected' }])
  })

  it('checkProfile returns the output of the schema instead of the input', async () => {
    assert.deepEqual(await checkProfile({ age: 1, more: 2 }, schema, []), {
      errors: [],
      profile: { age: 1 },
    })
  })

  it('checkProfile turns -0 into 0, and refuses numbers too large for a double', async () => {
    const body = JSON.parse('{"age":-0,"scores":[-0.0,1]}') as JsonObject
    assert.deepEqual(await checkProfile(body, anything, []), {
      errors: [],
      profile: { age: 0, scores: [0, 1] },
    })
    for (const text of ['{"age":1e400}', '{"scores":[{"best":-1e400}]}']) {
      const { errors } = await checkProfile(JSON.parse(text) as JsonObject, anything, [])
      assert.deepEqual(errors, [
        { loc: ['body'], msg: 'Numbers must be within the range of a double', type: 'value_error' },
      ])
    }
  })

  it('checkProfile returns the errors of the schema with their paths', async () => {
    const { errors, profile } = await checkProfile({ age: 'x', tags: ['a', 1] }, schema, [])
    assert.deepEqual(profile, {})
    assert.deepEqual(
      errors.map(({ loc, type }) => [loc, type]),
      [
        [['body', 'age'], 'value_error'],
        [['body', 'tags', '1'], 'value_error'],
      ],
    )
  })

  it('checkProfile reports a schema error that has no path, or a path with objects', async () => {
    const odd: ProfileSchema = {
      '~standard': {
        version: 1,
        vendor: 'x',
        validate: () => ({ issues: [{ message: 'a', path: [{ key: 'k' }] }, { message: 'b' }] }),
      },
    }
    const { errors } = await checkProfile({}, odd, [])
    assert.deepEqual(
      errors.map(({ loc }) => loc),
      [['body', 'k'], ['body']],
    )
  })

  it('checkProfile throws if the schema returns a value that JSON cannot store', async () => {
    const dated: ProfileSchema = z.object({ born: z.coerce.date() })
    await assert.rejects(
      checkProfile({ born: '2000-01-01' }, dated, []),
      /values that JSON can store/,
    )
    for (const value of [null, 'x', [1]]) {
      const odd: ProfileSchema = {
        '~standard': {
          version: 1,
          vendor: 'x',
          validate: () => ({ value: value as unknown as object }),
        },
      }
      await assert.rejects(checkProfile({}, odd, []), /must return an object/)
    }
  })
})

describe('checkProfileChange', () => {
  it('checkProfileChange keeps stored fields, but not those whose names are reserved', async () => {
    const stored = { age: 1, tags: ['a'], roles: ['admin'] }
    assert.deepEqual(await checkProfileChange(stored, { age: 2 }, anything), {
      errors: [],
      profile: { age: 2, tags: ['a'] },
    })
    const { errors } = await checkProfileChange({}, { age: 2 }, undefined)
    assert.equal(errors[0]?.msg, 'Unknown members; none are expected')
  })
})

describe('the size of a profile', () => {
  const open: ProfileSchema = z.looseObject({})
  const sizeFault = {
    loc: ['body'],
    msg: 'A profile must be at most 65536 bytes of JSON',
    type: 'value_error',
  }

  it('checkProfile refuses a profile of more than 64 KiB of JSON in UTF-8', async () => {
    const ofBytes = (bytes: number): object => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) })
    const errorsOf = async (members: object): Promise<unknown> =>
      (await checkProfile({ ...members }, open, [])).errors
    assert.deepEqual(await errorsOf(ofBytes(maxProfileBytes)), [])
    assert.deepEqual(await errorsOf(ofBytes(maxProfileBytes + 1)), [sizeFault])
    // `é` has two bytes in UTF-8. JSON writes U+0000 as six characters: `\u0000`.
    assert.deepEqual(await errorsOf({ a: 'é'.repeat(maxProfileBytes / 2) }), [sizeFault])
    assert.deepEqual(await errorsOf({ a: '\u0000'.repeat(maxProfileBytes / 6) }), [sizeFault])
  })

  it('checkProfile refuses a profile if the schema’s output is larger than 64 KiB', async () => {
    const growing: ProfileSchema = z
      .object({})
      .transform(() => ({ a: 'x'.repeat(maxProfileBytes) }))
    assert.deepEqual(await checkProfile({}, growing, []), { errors: [sizeFault], profile: {} })
  })
})

/** The names of Keystile's own fields of a user, as in answers. */
const ours = Object.keys(describeManagedUser(undefined)['properties'] as object)
const reserved = ours.concat([
  'emailVerified',
  'createdAt',
  'password',
  '__proto__',
  'constructor',
  'toJSON',
  'then',
  'hasOwnProperty',
])

describe('profile fields with reserved names', () => {
  const open: ProfileSchema = z.looseObject({})
  const bare = (value: object): ProfileSchema => ({
    '~standard': { version: 1, vendor: 'x', validate: () => ({ value }) },
  })

  for (const name of reserved) {
    const members = JSON.parse(`{"${name}":["admin"]}`) as Record<string, unknown>
    const fault = { loc: ['body', name], msg: 'This field is reserved', type: 'extra_forbidden' }

    it(`checkProfile refuses a reserved field in a schema’s input or output: ${name}`, async () => {
      assert.deepEqual(await checkProfile(members, open, []), { errors: [fault], profile: {} })
      assert.deepEqual(await checkProfile(members, z.object({}), []), {
        errors: [fault],
        profile: {},
      })
      assert.deepEqual(await checkProfile({}, bare(members), []), { errors: [fault], profile: {} })
    })
  }

  it('findReservedFields finds reserved names in every branch of a union or intersection', () => {
    const roles = z.object({ roles: z.array(z.string()), city: z.string() })
    const id = z.object({ id: z.string() })
    const transformed = id.transform(({ id }) => ({ key: id }))
    const cases: readonly (readonly [ProfileSchema, readonly string[]])[] = [
      [roles, ['roles']],
      [z.union([id, roles]), ['id', 'roles']],
      [z.intersection(id, roles), ['id', 'roles']],
      [z.object({ disabled: z.boolean().default(false) }), ['disabled']],
      [z.object({ city: z.string(), nested: roles }), []],
      [transformed, ['id']],
      [bare({}), []],
      [open, []],
    ]
    for (const [schema, names] of cases) assert.deepEqual(findReservedFields(schema), names)
  })
})

describe('describeProfile', () => {
  it('describeProfile returns { type: "object" } for a profile schema without JSON Schema', () => {
    assert.deepEqual(describeProfile(undefined, 'input'), {
      type: 'object',
      properties: {},
      additionalProperties: false,
    })
    assert.deepEqual((describeProfile(schema, 'input') as { required: unknown }).required, ['age'])
    const bare: ProfileSchema = {
      '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value: value as object }) },
    }
    assert.deepEqual(describeProfile(bare, 'output'), { type: 'object' })
    const unsayable: ProfileSchema = z.object({ born: z.date() })
    assert.deepEqual(describeProfile(unsayable, 'output'), { type: 'object' })
  })
})

describe('describeProfileInput', () => {
  interface Described {
    readonly allOf: readonly {
      readonly propertyNames?: { readonly not: { readonly enum: readonly string[] } }
    }[]
  }
  const describeInput = (of: ProfileSchema, ownFields: readonly string[]): Described['allOf'] =>
    (describeProfileInput(of, ownFields) as unknown as Described).allOf
  const refusedBy = (of: ProfileSchema, ownFields: readonly string[]): readonly string[] =>
    describeInput(of, ownFields).at(-1)!.propertyNames!.not.enum

  it('describeProfileInput forbids each reserved name, unless ownFields lists it', () => {
    for (const name of reserved) assert.ok(refusedBy(schema, []).includes(name), name)
    const names = refusedBy(schema, ['email'])
    assert.deepEqual([names.includes('email'), names.includes('roles')], [false, true])
    assert.equal('allOf' in describeProfileInput(undefined, []), false)
  })

  it('describeProfileInput keeps each part of an allOf in the JSON Schema of a profile', () => {
    const parts = [{ required: ['a'] }, { required: ['b'] }]
    const convert = ({ target }: { readonly target: string }): JsonObject =>
      target === 'draft-2020-12' ? { allOf: parts } : {}
    const jsonSchema = { input: convert, output: convert }
    const both = { '~standard': { ...schema['~standard'], jsonSchema } }
    assert.deepEqual(describeInput(both, []).slice(0, -1), parts)
    assert.ok(refusedBy(both, []).includes('roles'))
    assert.equal(describeInput(schema, []).length, 1)
  })
})

describe('describeManagedUser', () => {
  it('describeManagedUser describes each member of a user, and each field of the profile', () => {
    const profile = z.object({ city: z.string(), street: z.string().optional() })
    const own = ['id', 'username', 'email', 'email_verified', 'created_at']
    const rights = ['scopes', 'roles', 'disabled']
    const described = JSON.stringify(describeManagedUser(profile), (name, value: unknown) =>
      name === 'description' ? undefined : value,
    )
    assert.deepEqual(JSON.parse(described), {
      type: 'object',
      properties: {
        city: { type: 'string' },
        street: { type: 'string' },
        id: { type: 'string' },
        username: { type: 'string' },
        email: { type: ['string', 'null'], format: 'email' },
        email_verified: { type: 'boolean' },
        created_at: { type: 'string', format: 'date-time' },
        scopes: { type: 'array', items: { type: 'string' } },
        roles: { type: 'array', items: { type: 'string' } },
        disabled: { type: 'boolean' },
      },
      required: ['city', ...own, ...rights],
    })
    assert.deepEqual(describeUser(undefined)['required'], own)
  })
})
