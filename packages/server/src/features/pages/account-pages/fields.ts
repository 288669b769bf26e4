// The fields that several pages have.
import type { Form } from '../../../http/form.ts'
import { codeAttributes } from '../../../pages/field.ts'
import { markup } from '../../../pages/html.ts'
import { passwordFaultOf, type Refused } from './faults.ts'
import type { ShownField } from './form.ts'
import type { PageReader } from './reader.ts'

/** The field for a user name, or for any login if `value` is undefined. */
export function loginField(
  field: Pick<ShownField, 'name' | 'label' | 'hint'>,
  value?: string,
): ShownField {
  const shown = value === undefined ? undefined : markup` value="${value}"`
  const spelling = markup`autocapitalize="none" spellcheck="false"`
  return { ...field, attributes: markup`autocomplete="username" ${spelling}${shown}` }
}

/** The field for the password that the account has. */
export function passwordField({ texts: { password: label } }: PageReader): ShownField {
  const attributes = markup`type="password" autocomplete="current-password"`
  return { name: 'password', label, attributes }
}

/** The field for a new password. Its hint leaves out what an English fault says. */
export function newPasswordField(
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

export function emailField(
  field: Pick<ShownField, 'name' | 'label' | 'hint'>,
  value: string,
): ShownField {
  return { ...field, attributes: markup`type="email" autocomplete="email" value="${value}"` }
}

/** The field for the code of a mail. */
export function mailCodeField(
  { code: label, codeHint: hint }: PageReader['texts'],
  typed: Form = new Map(),
): ShownField {
  return { ...codeField('code', label, typed.get('code')), hint }
}

/** A field for a code of digits, which a mail or an app shows. */
export function codeField(name: string, label: string, typed?: string): ShownField {
  return { name, label, attributes: codeAttributes(typed) }
}
