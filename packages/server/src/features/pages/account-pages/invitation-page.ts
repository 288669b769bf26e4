// The page whose link accepts an invitation: it creates the account.
import type { JsonObject } from 'keystile/internal'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import type { Invitations } from '../../mail/invitations/invitation-types.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { acceptanceFields, readAcceptance } from './acceptance.ts'
import { refusedFault } from './faults.ts'
import { acceptedName } from './field-names.ts'
import { loginField, newPasswordField } from './fields.ts'
import { refusals, type LinkPage } from './link-page.ts'
import { profileFieldsOf } from './profile-fields.ts'

/** @param profile the JSON Schema of the profile of a new account */
export function invitationPage(
  { accept, isOpen }: Pick<Invitations, 'accept' | 'isOpen'>,
  { minLength }: Pick<PasswordPolicy, 'minLength'>,
  profile: JsonObject,
): LinkPage {
  const profileFields = profileFieldsOf(profile)
  return {
    name: 'accept-invitation',
    summary: 'Accept an invitation',
    refuses: { ...refusals.ofLink, ...refusals.taken, ...refusals.ofField },
    fieldNames: ['username', 'password', ...profileFields.names, acceptedName],
    texts: ({ texts }) => texts.accept,
    fields(reader, typed, refused) {
      const { texts } = reader
      const { username: label, usernameHint: hint, password } = texts
      return [
        loginField({ name: 'username', label, hint }, typed.get('username') ?? ''),
        newPasswordField({ name: 'password', label: password }, texts, { minLength, refused }),
        ...profileFields.show(typed, texts),
        ...acceptanceFields(reader, typed),
      ]
    },
    isOpen,
    async submit(form, request, { brand }) {
      const accepted = readAcceptance(form, brand)
      const username = form.get('username')
      const password = form.get('password')
      const members = {
        ...profileFields.read(form),
        ...(username && { username }),
        ...(password && { password }),
      }
      await accept({ token: form.get('token') ?? '' }, members, byStranger(request), accepted)
    },
    faultOf: refusedFault,
  }
}
