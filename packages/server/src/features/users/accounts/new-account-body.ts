// The body that creates an account: Keystile's own fields, and those of the app's profile.
import type { FieldError, JsonObject } from 'keystile/internal'
import type * as z from 'zod'
import { describeFields } from '../../../http/fields.ts'
import { checkFields, getFields } from '../../../http/json-body.ts'
import { describeProfileInput } from './described-profile.ts'
import { checkProfile, type Profile, type ProfileSchema } from './profile.ts'

/**
 * Checks the members of a request body for a new account. `schema` checks Keystile's own fields;
 * the profile schema checks all other members. Does NOT check the password against the policy.
 *
 * @param faults those that the caller has found in the same body
 * @throws {ProblemError} 422 with all faults
 */
export async function getAccountFields<T extends z.core.$ZodLooseShape>(
  schema: z.ZodObject<T>,
  members: JsonObject,
  profileSchema: ProfileSchema | undefined,
  faults: readonly FieldError[] = [],
): Promise<{ readonly fields: z.output<z.ZodObject<T>>; readonly profile: Profile }> {
  const ownFields = Object.keys(schema.shape)
  const others = Object.entries(members).filter(([name]) => !ownFields.includes(name))
  const { errors, profile } = await checkProfile(
    Object.fromEntries(others),
    profileSchema,
    ownFields,
  )
  return { fields: getFields(checkFields(schema, members), [...errors, ...faults]), profile }
}

/**
 * Returns the JSON Schema of a body for a new account: Keystile's own fields, and those of the
 * profile.
 */
export function describeAccountFields(
  schema: z.ZodObject,
  profile: ProfileSchema | undefined,
): JsonObject {
  type ObjectSchema = { readonly properties?: object; readonly required?: readonly string[] }
  const own = describeFields(schema) as Required<ObjectSchema>
  const others: ObjectSchema & JsonObject = describeProfileInput(profile, Object.keys(schema.shape))
  return {
    ...others,
    type: 'object',
    properties: { ...others.properties, ...own.properties },
    required: [...(others.required ?? []), ...own.required],
  }
}
