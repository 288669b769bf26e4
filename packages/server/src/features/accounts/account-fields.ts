import * as z from 'zod'
import type { FieldError } from 'keystile/internal'
import { stringField } from '../../http/json-body.ts'
import { parseEmail, parseUsername, type ComparableName } from '../directory/names.ts'
import { maxBytes } from '../password/password.ts'
import type { PasswordOwner, PasswordPolicy } from '../password-policy/policy.ts'

const usernameRule =
  'Username should have 2 to 63 letters, digits, dots, underscores or hyphens, and begin with a letter or digit'
const emailRule =
  'value is not a valid email address: it should have one part, an @-sign and a domain with a dot'

/** A user name that is chosen. */
export const usernameField: z.ZodType<ComparableName> = stringField()
  .meta({ minLength: 2, maxLength: 63, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', example: 'ada' })
  .transform((text, context) => parseUsername(text) ?? fault(context, usernameRule))

/** An e-mail address that is chosen. */
export const emailField: z.ZodType<ComparableName> = stringField()
  .meta({ format: 'email', example: 'ada@example.com' })
  .transform((text, context) => parseEmail(text) ?? fault(context, emailRule))

/** The password that a person has, as proof. */
export const currentPasswordField: z.ZodString = stringField().meta({ format: 'password' })

/**
 * A new password, as the documentation describes it. `findPasswordErrors` checks it, because the
 * policy depends on other fields.
 */
export function newPasswordField({ minLength }: PasswordPolicy): z.ZodString {
  return stringField().meta({ format: 'password', minLength, maxLength: maxBytes })
}

/**
 * Checks a new password by the policy. Anything but a string has no error: its field reports that.
 */
export function findPasswordErrors(
  field: string,
  password: unknown,
  owner: PasswordOwner,
  policy: PasswordPolicy,
): readonly FieldError[] {
  const msg = typeof password === 'string' ? policy.findFault(password, owner) : undefined
  return msg === undefined ? [] : [{ loc: ['body', field], msg, type: 'value_error' }]
}

function fault(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
