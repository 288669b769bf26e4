// The fields that set a name, an e-mail address, a password or rights, in request bodies and in
// calls of `keystile.users`.
import * as z from 'zod'
import type { FieldError, JsonObject } from 'keystile/internal'
import { checkFields, describeFields, getFields, stringField } from '../../../http/json-body.ts'
import { emailPattern, parseEmail, parseUsername, type ComparableName } from '../directory/names.ts'
import { maxBytes } from '../../credentials/password/password.ts'
import type {
  PasswordFault,
  PasswordOwner,
  PasswordPolicy,
} from '../../credentials/password-policy/policy.ts'
import type { Rights, ScopeRules } from '../scopes/scopes.ts'
import { describeProfileInput } from './described-profile.ts'
import { checkProfile, type Profile, type ProfileSchema } from './profile.ts'

const usernameRule =
  'Username should have 2 to 63 letters, digits, dots, underscores or hyphens, ' +
  'and begin with a letter or digit'
const emailRule =
  'value is not a valid email address: it should have one part, an @-sign and a domain with a ' +
  'dot; the part should not begin with -, | or /, or contain =?'

export const usernameField: z.ZodType<ComparableName> = stringField()
  .meta({ minLength: 2, maxLength: 63, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', example: 'ada' })
  .transform((text, context) => parseUsername(text) ?? refuse(context, usernameRule))

export const emailField: z.ZodType<ComparableName> = stringField()
  .meta({ format: 'email', pattern: emailPattern, example: 'ada@example.com' })
  .transform((text, context) => parseEmail(text) ?? refuse(context, emailRule))

/** Accepts any string: the route verifies the password. */
export const currentPasswordField: z.ZodString = stringField().meta({ format: 'password' })

/**
 * Returns the field for a new password. The OpenAPI document shows its minimum length, but the
 * field accepts any string. `findPasswordErrors()` checks the password policy, because the policy
 * depends on other fields.
 */
export function newPasswordField({ minLength }: PasswordPolicy): z.ZodString {
  const example = 'four kites over a quiet harbour'
  const shown = example.length < minLength ? {} : { example }
  return stringField().meta({ format: 'password', minLength, maxLength: maxBytes, ...shown })
}

/**
 * Checks a new password against the policy. Returns no error for a value that is not a string: the
 * schema of the field refuses such a value.
 */
export function findPasswordErrors(
  field: string,
  password: unknown,
  owner: PasswordOwner,
  policy: PasswordPolicy,
): readonly FieldError[] {
  return errorsOf(
    field,
    typeof password === 'string' ? policy.findCodedFault(password, owner) : undefined,
  )
}

/** Checks the characters and the length of a new password: see `PasswordPolicy.findQuickFault`. */
export function findQuickPasswordErrors(
  field: string,
  password: unknown,
  policy: PasswordPolicy,
): readonly FieldError[] {
  return errorsOf(field, typeof password === 'string' ? policy.findQuickFault(password) : undefined)
}

function errorsOf(field: string, fault: PasswordFault | undefined): readonly FieldError[] {
  return fault ? [{ loc: ['body', field], msg: fault.text, type: fault.code }] : []
}

/** The field for a list of scopes or roles. `findUndeclared()` checks the names. */
export const namesField: z.ZodType<readonly string[]> = z.array(stringField(), {
  error: 'Input should be a list of names',
})

/**
 * Returns an error for `scopes` if a scope is not declared, and an error for `roles` if a role is
 * not declared.
 */
export function findUndeclared(
  { scopes = [], roles = [] }: { readonly [N in keyof Rights]?: Rights[N] | undefined },
  rules: ScopeRules,
): readonly FieldError[] {
  const lists = [
    { field: 'scopes', named: scopes, known: rules.declared },
    { field: 'roles', named: roles, known: rules.roles },
  ]
  return lists
    .filter(({ named, known }) => !named.every((name) => Object.hasOwn(known, name)))
    .map(({ field, known }) => ({
      loc: ['body', field],
      msg: `Input should only have names from this list: ${Object.keys(known).join(', ')}`,
      type: 'value_error',
    }))
}

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

/** Adds the fault of a field. Its transformation then has no result. */
function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
