import { isDeepStrictEqual } from 'node:util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isJsonObject, type FieldError, type JsonObject } from 'keystile/internal'

/** The fields that the application adds to a user. */
export type Profile = Readonly<Record<string, unknown>>

export type ProfileSchema<P extends object = object> = StandardSchemaV1<unknown, P>

interface CheckedProfile {
  readonly errors: readonly FieldError[]
  /** The profile to store; empty where there are errors. */
  readonly profile: Profile
}

/** The largest profile, in bytes of its JSON in UTF-8. */
export const maxProfileBytes = 65_536

/**
 * Names that a profile field must not have: those of Keystile's own fields, in answers and in the
 * guard's user, and those that every object has. A handler of the app reads `user.roles` without
 * asking where it came from.
 */
const reservedNames: ReadonlySet<string> = new Set([
  'id',
  'username',
  'email',
  'email_verified',
  'emailVerified',
  'created_at',
  'createdAt',
  'password',
  'scopes',
  'roles',
  'disabled',
  // JSON.stringify and await call these if they are functions.
  'toJSON',
  'then',
  ...Object.getOwnPropertyNames(Object.prototype),
])

const isReserved = (name: string): boolean => reservedNames.has(name)

/** A stored profile without fields of reserved names: it may be older than the reservation. */
export function withoutReserved(profile: Profile): Profile {
  return Object.fromEntries(Object.entries(profile).filter(([name]) => !isReserved(name)))
}

/** The reserved names among the fields of a schema. None for a schema without a JSON Schema. */
export function findReservedFields(schema: ProfileSchema): readonly string[] {
  const sides = ['input', 'output'] as const
  const names = sides.flatMap((side) => fieldNamesOf(describeProfile(schema, side)))
  return [...new Set(names)].filter(isReserved)
}

function fieldNamesOf(schema: JsonObject): readonly string[] {
  type Alternatives = Partial<Record<'allOf' | 'anyOf' | 'oneOf', readonly JsonObject[]>>
  const {
    properties = {},
    allOf = [],
    anyOf = [],
    oneOf = [],
  } = schema as Alternatives & {
    readonly properties?: object
  }
  return [...Object.keys(properties), ...[...allOf, ...anyOf, ...oneOf].flatMap(fieldNamesOf)]
}

function findReservedFaults(members: JsonObject): readonly FieldError[] {
  return Object.keys(members)
    .filter(isReserved)
    .map((name) => ({
      loc: ['body', name],
      msg: 'This field is reserved',
      type: 'extra_forbidden',
    }))
}

/**
 * Checks the members of a body that are not Keystile's own by the application's schema, and returns
 * the profile to store. Every write of a profile goes through this. Without a schema a profile has
 * no fields.
 */
export async function checkProfile(
  members: JsonObject,
  schema: ProfileSchema | undefined,
  ownFields: readonly string[],
): Promise<CheckedProfile> {
  if (!schema) {
    const expected =
      ownFields.length > 0 ? `expected are ${ownFields.join(', ')}` : 'none are expected'
    const unknown = { loc: ['body'], msg: `Unknown members; ${expected}`, type: 'extra_forbidden' }
    return { errors: Object.keys(members).length > 0 ? [unknown] : [], profile: {} }
  }
  const reserved = findReservedFaults(members)
  if (reserved.length > 0) return { errors: reserved, profile: {} }
  const input = asStored(members)
  if (input === undefined) {
    const msg = 'Numbers must be within the range of a double'
    return { errors: [{ loc: ['body'], msg, type: 'value_error' }], profile: {} }
  }
  const result = await schema['~standard'].validate(input)
  if (!result.issues) return checkOutput(requireJson(result.value))
  const errors = result.issues.map(({ path = [], message }) => ({
    loc: ['body', ...path.map((part) => String(typeof part === 'object' ? part.key : part))],
    msg: message,
    type: 'value_error',
  }))
  return { errors, profile: {} }
}

/** Members as JSON keeps them: -0 is 0. Undefined for a number that is too large for JSON. */
function asStored(members: JsonObject): unknown {
  let isTooLarge = false
  const text = JSON.stringify(members, (_name, value: unknown) => {
    isTooLarge ||= typeof value === 'number' && !Number.isFinite(value)
    return value
  })
  return isTooLarge ? undefined : JSON.parse(text)
}

/** Checks the output of the schema, which may have fields that the input does not have. */
function checkOutput(profile: Profile): CheckedProfile {
  const reserved = findReservedFaults(profile)
  if (reserved.length > 0) return { errors: reserved, profile: {} }
  if (Buffer.byteLength(JSON.stringify(profile)) <= maxProfileBytes) return { errors: [], profile }
  const msg = `A profile must be at most ${maxProfileBytes} bytes of JSON`
  return { errors: [{ loc: ['body'], msg, type: 'value_error' }], profile: {} }
}

/**
 * Refuses values that JSON changes, such as a Date. Read from the database, they would not have the
 * type that the schema promises.
 */
function requireJson(value: unknown): Profile {
  if (!isJsonObject(value))
    throw new TypeError('the profile schema makes something that is no object')
  const read: unknown = JSON.parse(JSON.stringify(value))
  if (!isDeepStrictEqual(read, { ...value })) {
    throw new TypeError(
      'the profile schema makes values that JSON does not keep, such as a Date: leave them as strings',
    )
  }
  return read as Profile
}

/** The schema's own JSON Schema, for the documentation; any object where it has none. */
export function describeProfile(
  schema: ProfileSchema | undefined,
  side: 'input' | 'output',
): JsonObject {
  if (!schema) return { type: 'object', properties: {}, additionalProperties: false }
  const standard = schema['~standard'] as StandardSchemaV1.Props & {
    readonly jsonSchema?: Readonly<
      Record<typeof side, (options: { readonly target: string }) => JsonObject>
    >
  }
  try {
    return standard.jsonSchema?.[side]({ target: 'draft-2020-12' }) ?? { type: 'object' }
  } catch {
    return { type: 'object' } // JSON Schema cannot express every schema
  }
}

/**
 * The profile fields that a body may have, for the documentation.
 *
 * @param ownFields fields with reserved names that the body has beside the profile
 */
export function describeProfileInput(
  schema: ProfileSchema | undefined,
  ownFields: readonly string[],
): JsonObject {
  const described = describeProfile(schema, 'input')
  if (!schema) return described
  const names = [...reservedNames].filter((name) => !ownFields.includes(name))
  const { allOf = [] } = described as { readonly allOf?: readonly JsonObject[] }
  return { ...described, allOf: [...allOf, { propertyNames: { not: { enum: names } } }] }
}
