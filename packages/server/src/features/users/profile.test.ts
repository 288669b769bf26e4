import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as z from 'zod'
import { checkProfile, describeProfile } from './profile.ts'
import type { ProfileSchema } from './users.ts'

const schema: ProfileSchema = z.object({ age: z.number(), tags: z.array(z.string()).optional() })

describe('checkProfile', () => {
  it('takes nothing where there is no schema, and says what is expected', async () => {
    assert.deepEqual(await checkProfile({}, undefined, ['a']), { errors: [], profile: {} })
    const messageOf = async (ownFields: readonly string[]): Promise<unknown> =>
      (await checkProfile({ x: 1 }, undefined, ownFields)).errors
    const fault = { loc: ['body'], type: 'extra_forbidden' }
    assert.deepEqual(await messageOf(['a', 'b']), [{ ...fault, msg: 'Unknown members; expected are a, b' }])
    assert.deepEqual(await messageOf([]), [{ ...fault, msg: 'Unknown members; none are expected' }])
  })

  it('gives what the schema makes of the members', async () => {
    assert.deepEqual(await checkProfile({ age: 1, more: 2 }, schema, []), { errors: [], profile: { age: 1 } })
  })

  it('gives the faults of the schema with their places', async () => {
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

  it('reads a place that is spelt as an object, and none at all (Standard Schema)', async () => {
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

  it('throws for a schema that makes what JSON does not keep', async () => {
    const dated: ProfileSchema = z.object({ born: z.coerce.date() })
    await assert.rejects(checkProfile({ born: '2000-01-01' }, dated, []), /JSON does not keep/)
    for (const value of [null, 'x', [1]]) {
      const odd: ProfileSchema = {
        '~standard': { version: 1, vendor: 'x', validate: () => ({ value: value as unknown as object }) },
      }
      await assert.rejects(checkProfile({}, odd, []), /no object/)
    }
  })
})

describe('describeProfile', () => {
  it('is the JSON Schema of the schema where it has one, else any object', () => {
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
