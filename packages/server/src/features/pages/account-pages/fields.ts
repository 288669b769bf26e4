// The fields that several pages have.
import { markup } from '../../../pages/html.ts'
import type { Refused, ShownField } from './form-page.ts'
import { passwordFaultOf, type PageReader } from './page-parts.ts'

export function currentPassword({ texts: { password: label } }: PageReader): ShownField {
  const attributes = markup`type="password" autocomplete="current-password"`
  return { name: 'password', label, attributes }
}

/** The field for a new password. If a password was too short, the error tells the length. */
export function newPassword(
  field: Pick<ShownField, 'name' | 'label'>,
  { newPasswordLength, newPasswordAdvice }: PageReader['texts'],
  { minLength, refused }: { readonly minLength: number; readonly refused: Refused | undefined },
): ShownField {
  const hint =
    refused && passwordFaultOf(refused.error) === 'password_too_short'
      ? newPasswordAdvice
      : `${newPasswordLength(minLength)} ${newPasswordAdvice}`
  return { ...field, hint, attributes: markup`type="password" autocomplete="new-password"` }
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
