import { isDeepStrictEqual } from 'node:util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isJsonObject, ProblemError, type FieldError, type JsonObject } from 'keystile/internal'
import type { Profile, ProfileSchema } from './users.ts'

/** Members of a body that stand beside ours, by the application's schema. Without a schema there are none. */
export async function checkProfile(
  members: JsonObject,
  schema: ProfileSchema | undefined,
  ownFields: readonly string[],
): Promise<{ readonly errors: readonly FieldError[]; readonly profile: Profile }> {
  if (!schema) {
    const expected = ownFields.length > 0 ? `expected are ${ownFields.join(', ')}` : 'none are expected'
    const unknown = { loc: ['body'], msg: `Unknown members; ${expected}`, type: 'extra_forbidden' }
    return { errors: Object.keys(members).length > 0 ? [unknown] : [], profile: {} }
  }
  const result = await schema['~standard'].validate(members)
  if (!result.issues) return { errors: [], profile: requireJson(result.value) }
  const errors = result.issues.map(({ path = [], message }) => ({
    loc: ['body', ...path.map((part) => String(typeof part === 'object' ? part.key : part))],
    msg: message,
    type: 'value_error',
  }))
  return { errors, profile: {} }
}

/** What is stored is JSON: a value that is another one when it is read would not have the type that the schema promises. */
function requireJson(value: unknown): Profile {
  if (!isJsonObject(value)) throw new TypeError('the profile schema makes something that is no object')
  const read: unknown = JSON.parse(JSON.stringify(value))
  if (!isDeepStrictEqual(read, { ...value })) {
    throw new TypeError(
      'the profile schema makes values that JSON does not keep, such as a Date: leave them as strings',
    )
  }
  return read as Profile
}

/** The schema's own JSON Schema where it has one, for the documentation; else any object. */
export function describeProfile(schema: ProfileSchema | undefined, side: 'input' | 'output'): JsonObject {
  if (!schema) return { type: 'object', properties: {}, additionalProperties: false }
  const standard = schema['~standard'] as StandardSchemaV1.Props & {
    readonly jsonSchema?: Readonly<Record<typeof side, (options: { readonly target: string }) => JsonObject>>
  }
  try {
    return standard.jsonSchema?.[side]({ target: 'draft-2020-12' }) ?? { type: 'object' }
  } catch {
    return { type: 'object' } // a schema may hold what JSON Schema cannot say
  }
}

export function outdated(): ProblemError {
  return new ProblemError('conflict', 'Somebody else has changed this user at the same time; read it again')
}
