// Profiles: the fields that an application adds to users, checked by its own schema.
import { isDeepStrictEqual } from 'node:util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isJsonObject, type FieldError, type JsonObject } from 'keystile/internal'

/** The fields that the application adds to a user. */
export type Profile = Readonly<Record<string, unknown>>

/** A schema of any library that implements Standard Schema, such as Zod or Valibot. */
export type ProfileSchema<P extends object = object> = StandardSchemaV1<unknown, P>

interface CheckedProfile {
  readonly errors: readonly FieldError[]
  /** The profile to store; empty if there are errors. */
  readonly profile: Profile
}

/**
 * The largest profile, in bytes of its JSON in UTF-8. It has a limit because users write profiles
 * themselves, and each guarded request reads a profile.
 */
export const maxProfileBytes = 65_536

/**
 * Checks the profile fields of a request with the application's schema, and returns the profile to
 * store. Every write of a profile goes through this function. If the app has no schema, a profile
 * has no fields.
 *
 * @param ownFields the fields of Keystile that the body may have, for the error message
 */
export async function checkProfile(
  members: JsonObject,
  schema: ProfileSchema | undefined,
  ownFields: readonly string[],
): Promise<CheckedProfile> {
  if (!schema) {
    if (Object.keys(members).length === 0) return { errors: [], profile: {} }
    const expected =
      ownFields.length > 0 ? `expected are ${ownFields.join(', ')}` : 'none are expected'
    return refused(fault(`Unknown members; ${expected}`, ['body'], 'extra_forbidden'))
  }

  const reserved = findReservedFaults(members)
  if (reserved.length > 0) return refused(...reserved)

  const input = asStored(members)
  if (input === undefined) return refused(fault('Numbers must be within the range of a double'))

  const result = await schema['~standard'].validate(input)
  if (!result.issues) return checkOutput(requireJson(result.value))

  const nameOf = (part: PropertyKey | StandardSchemaV1.PathSegment): string =>
    String(typeof part === 'object' ? part.key : part)
  return refused(
    ...result.issues.map(({ path = [], message }) => fault(message, ['body', ...path.map(nameOf)])),
  )
}

/**
 * Checks a change of some profile fields, and returns the whole profile to store. The whole changed
 * profile must be valid. If the app has no schema, every member is refused as unknown.
 */
export function checkProfileChange(
  stored: Profile,
  change: JsonObject,
  schema: ProfileSchema | undefined,
): Promise<CheckedProfile> {
  return checkProfile(schema ? { ...withoutReserved(stored), ...change } : change, schema, [])
}

/**
 * Names that a profile field must not have: the names of Keystile's own fields, and of properties
 * that every object has. Handlers of the app trust `user.roles`, so users must not be able to set a
 * field of that name themselves.
 */
export const reservedNames: ReadonlySet<string> = new Set([
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
  // JSON.stringify and await call these members if they are functions.
  'toJSON',
  'then',
  ...Object.getOwnPropertyNames(Object.prototype),
])

export const isReservedName = (name: string): boolean => reservedNames.has(name)

/**
 * Returns a profile without the fields that have reserved names. A profile may have been stored
 * before a name was reserved.
 */
export function withoutReserved(profile: Profile): Profile {
  return Object.fromEntries(Object.entries(profile).filter(([name]) => !isReservedName(name)))
}

function findReservedFaults(members: JsonObject): readonly FieldError[] {
  return Object.keys(members)
    .filter(isReservedName)
    .map((name) => fault('This field is reserved', ['body', name], 'extra_forbidden'))
}

function fault(msg: string, loc: FieldError['loc'] = ['body'], type = 'value_error'): FieldError {
  return { loc, msg, type }
}

const refused = (...errors: readonly FieldError[]): CheckedProfile => ({ errors, profile: {} })

/**
 * Returns members as JSON stores them: -0 becomes 0. Returns undefined if a member is a number that
 * JSON cannot store, such as 1e999.
 */
function asStored(members: JsonObject): unknown {
  let isTooLarge = false
  const text = JSON.stringify(members, (_name, value: unknown) => {
    isTooLarge ||= typeof value === 'number' && !Number.isFinite(value)
    return value
  })
  return isTooLarge ? undefined : JSON.parse(text)
}

/** Checks the output of the schema: the schema may have added fields or made the profile larger. */
function checkOutput(profile: Profile): CheckedProfile {
  const reserved = findReservedFaults(profile)
  if (reserved.length > 0) return refused(...reserved)
  if (Buffer.byteLength(JSON.stringify(profile)) <= maxProfileBytes) return { errors: [], profile }
  return refused(fault(`A profile must be at most ${maxProfileBytes} bytes of JSON`))
}

/**
 * Returns the value if JSON does not change it. Throws for any other value. A Date, for example,
 * would come back from the database as a string, although the schema promises a Date.
 */
function requireJson(value: unknown): Profile {
  if (!isJsonObject(value)) throw new TypeError('the profile schema must return an object')
  const read: unknown = JSON.parse(JSON.stringify(value))
  if (!isDeepStrictEqual(read, { ...value }))
    throw new TypeError(
      'the profile schema must return values that JSON can store; ' +
        'it returned a value that JSON changes, such as a Date. Fix: return a string instead',
    )
  return read as Profile
}
