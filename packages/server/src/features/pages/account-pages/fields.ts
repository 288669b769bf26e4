// The fields that several pages have.
import type { ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import { codeAttributes } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { acceptedName } from './acceptance.ts'
import type { Fault, Refused, ShownField } from './form.ts'
import { brokenRule, passwordFaultOf, type PageReader } from './page-parts.ts'

export function currentPassword({ texts: { password: label } }: PageReader): ShownField {
  const attributes = markup`type="password" autocomplete="current-password"`
  return { name: 'password', label, attributes }
}

/** The field for a new password. Its hint leaves out what an English fault says. */
export function newPassword(
  field: Pick<ShownField, 'name' | 'label'>,
  { newPasswordLength, newPasswordAdvice, passwordFaults }: PageReader['texts'],
  { minLength, refused }: { readonly minLength: number; readonly refused: Refused | undefined },
): ShownField {
  const code = refused && !passwordFaults ? passwordFaultOf(refused.error) : undefined
  const hint = [
    ...(code === 'password_too_short' ? [] : [newPasswordLength(minLength)]),
    ...(code === 'password_guessable' ? [] : [newPasswordAdvice]),
  ].join(' ')
  return { ...field, hint, attributes: markup`type="password" autocomplete="new-password"` }
}

/** The field for the code of a mail. */
export function codeField(
  { code: label, codeHint: hint }: PageReader['texts'],
  typed: Form,
): ShownField {
  return { name: 'code', label, hint, attributes: codeAttributes(typed.get('code')) }
}

/** Returns the faults of the fields that an error names, in the order of the error. */
export function fieldFaults(
  { message, errors = [] }: ProblemError,
  reader: PageReader,
): readonly Fault[] {
  const { acceptance, faults } = reader.texts
  return errors.map((one) => {
    const field = one.loc[1]?.toString()
    const broken = { message, errors: [one] }
    const text =
      field === acceptedName ? acceptance.missing : brokenRule(broken, reader, faults.input)
    return { field, text }
  })
}

export function emailField(
  field: Pick<ShownField, 'name' | 'label' | 'hint'>,
  value: string,
): ShownField {
  return { ...field, attributes: markup`type="email" autocomplete="email" value="${value}"` }
}

/** The field for a user name, or for any login if `value` is undefined. */
export function loginName(
  field: Pick<ShownField, 'name' | 'label' | 'hint'>,
  value?: string,
): ShownField {
  const shown = value === undefined ? undefined : markup` value="${value}"`
  const spelling = markup`autocapitalize="none" spellcheck="false"`
  return { ...field, attributes: markup`autocomplete="username" ${spelling}${shown}` }
}
