// The fields that set a name, an e-mail address, a password or rights, in request bodies and in
// calls of `keystile.users`. `new-account-body.ts` puts those of a new account together.
import type { FieldError } from 'keystile/internal'
import * as z from 'zod'
import { stringField } from '../../../http/fields.ts'
import type {
  PasswordFault,
  PasswordOwner,
  PasswordPolicy,
} from '../../credentials/password-policy/policy.ts'
import { maxBytes } from '../../credentials/password/password.ts'
import { emailPattern, parseEmail, parseUsername, type ComparableName } from '../directory/names.ts'
import type { RightsChange, ScopeRules } from '../scopes/scopes.ts'

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
  if (typeof password !== 'string') return []
  return errorsOf(field, policy.findCodedFault(password, owner))
}

/** Checks the characters and the length of a new password: see `PasswordPolicy.findQuickFault`. */
export function findQuickPasswordErrors(
  field: string,
  password: unknown,
  policy: PasswordPolicy,
): readonly FieldError[] {
  return typeof password === 'string' ? errorsOf(field, policy.findQuickFault(password)) : []
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
  { scopes = [], roles = [] }: Pick<RightsChange, 'scopes' | 'roles'>,
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

/** Adds the fault of a field. Its transformation then has no result. */
function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
