// The pages of the flows by mail that have one form. The page for a new password is in
// `reset-pages.ts`. The services enforce all rules; the pages only show the results.
import { ProblemError, type JsonObject } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { EmailChanges } from '../../mail/email-change/change-types.ts'
import type { EmailUndo } from '../../mail/email-change/undo.ts'
import type { FactorUndo } from '../../mail/factor-undo/undo.ts'
import type { Verifications } from '../../mail/email-verification/verification-types.ts'
import type { Invitations } from '../../mail/invitations/invitation.ts'
import type { PasswordPolicy } from '../../credentials/password-policy/policy.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { parseUsername, type ComparableName } from '../../users/directory/names.ts'
import type { Html } from '../../../pages/html.ts'
import { linkedOf } from '../../../pages/parts.ts'
import { acceptanceFields, acceptedName, readAcceptance } from './acceptance.ts'
import { currentPassword, fieldFaults, loginName, newPassword } from './fields.ts'
import type { MaybeFault } from './form.ts'
import type { FormPage } from './form-page.ts'
import { brokenRule, passwordFaultOf, type PageReader } from './page-parts.ts'
import { profileFieldsOf } from './profile-fields.ts'

const refuses = {
  403: 'A page: the link or the password is wrong, or the link was used or has expired',
}
const refusesTaken = { ...refuses, 409: 'A page: the user name or the address is taken' }
const refusesFields = { 422: 'A page: a field is not acceptable' }

/** The forms that confirm an address of an account, and a registration. */
const confirmForms = {
  verify: {
    name: 'verify-email',
    summary: 'Confirm the address of an account',
    refuses,
    fieldNames: ['password'],
    end: 'account',
  },
  finish: {
    name: 'finish-registration',
    summary: 'Confirm a registration',
    refuses: refusesTaken,
    fieldNames: ['password', 'username'],
  },
} as const

/**
 * The page that verifies the address of an account (`verify`) or finishes a registration
 * (`finish`). The latter asks for another user name if the first is taken.
 */
export function confirmPage(
  kind: 'verify' | 'finish',
  { confirm, isOpen }: Pick<Verifications, 'confirm' | 'isOpen'>,
): FormPage {
  const typedName = (form: Form): string | undefined =>
    kind === 'finish' ? form.get('username') : undefined

  return {
    ...confirmForms[kind],
    texts: ({ texts }) => texts[kind],
    fields(reader, form, refused) {
      const { otherUsername: label, usernameHint } = reader.texts
      const [typed, isRefused] = [typedName(form), refused?.field === 'username']
      const hint = isRefused ? undefined : usernameHint
      const username = loginName({ name: 'username', label, hint }, typed ?? '')
      return [...(typed !== undefined || isRefused ? [username] : []), currentPassword(reader)]
    },
    isOpen,
    async submit(form, request) {
      const username = readUsername(typedName(form))
      const [token = '', password = ''] = [form.get('token'), form.get('password')]
      await confirm({ presented: { token }, password, username }, byStranger(request))
    },
    faultOf(error, reader) {
      const fault = confirmationFault(error, reader)
      const isOfPassword = kind === 'finish' && fault?.field === 'password'
      return isOfPassword ? { ...fault, text: reader.texts.finish.wrongPassword } : fault
    },
  }
}

/** @throws {ProblemError} `unprocessable_content` if the person has typed no valid user name */
export function readUsername(typed: string | undefined): ComparableName | undefined {
  if (typed === undefined) return undefined
  const username = parseUsername(typed)
  if (!username) throw new ProblemError('unprocessable_content', 'The user name must be valid')
  return username
}

/** Returns the fault of a confirmation that was refused; undefined for a wrong link or code. */
export function confirmationFault(error: ProblemError, reader: PageReader): MaybeFault {
  const { faults, finish, usernameHint } = reader.texts
  const field = fieldIn(error)
  // A password that fits the registered name may contain the new one.
  if (passwordFaultOf(error))
    return { field: 'username', text: brokenRule(error, reader, faults.input) }
  if (error.status === 422) return { field: 'username', text: usernameHint }
  if (error.status === 403 && field === 'password') return { field, text: faults.wrongPassword }
  if (error.status !== 409) return undefined
  return field === 'username' ? { field, text: finish.usernameTaken } : { text: finish.emailTaken }
}

/** The page that confirms a new e-mail address. */
export function changePage({
  confirm,
  isOpen,
}: Pick<EmailChanges, 'confirm' | 'isOpen'>): FormPage {
  return {
    name: 'confirm-email-change',
    summary: 'Confirm a new e-mail address',
    refuses: { ...refuses, ...refusesFields },
    fieldNames: ['password'],
    end: 'account',
    texts: ({ texts }) => texts.change,
    fields: (reader) => [currentPassword(reader)],
    isOpen,
    submit(form, request) {
      const owner = { subject: undefined, password: form.get('password') }
      return confirm({ token: form.get('token') ?? '' }, owner, byStranger(request))
    },
    async faultOf(error, reader, form) {
      if (error.status !== 403) return faultIn(error, reader)
      const token = form.get('token') ?? ''
      if (error.reason === 'factor_missing') return { text: factorMissing(reader, token) }
      // The link is not at fault if it still works.
      const isOfPassword = await isOpen(token)
      return isOfPassword ? { field: 'password', text: reader.texts.change.refused } : undefined
    },
  }
}

/** Leads to the page that confirms the address in a login, which can have the factor. */
function factorMissing({ hasLogin, brand, texts }: PageReader, token: string): string | Html {
  if (!hasLogin) return texts.change.factorMissing
  const query = new URLSearchParams({ token })
  const href = `${brand.base}/account/new-address?${query.toString()}`
  return linkedOf(texts.change.factorInLogin, { href })
}

const undoForms = {
  undo: { name: 'undo-email-change', summary: 'Restore the old e-mail address' },
  undoFactor: { name: 'undo-factor', summary: 'Remove the second factors' },
}

/**
 * The page that restores the old e-mail address, or removes the second factors (`undoFactor`). It
 * also disables the password.
 */
export function undoPage(
  kind: 'undo' | 'undoFactor',
  { undo, isOpen }: Pick<EmailUndo | FactorUndo, 'undo' | 'isOpen'>,
  end: FormPage['end'],
): FormPage {
  return {
    ...undoForms[kind],
    ...(end && { end }),
    refuses: { ...refuses, ...refusesFields },
    fieldNames: [],
    texts: ({ texts }) => texts[kind],
    fields: () => [],
    isOpen,
    submit: (form, request) => undo(form.get('token') ?? '', byStranger(request)),
    faultOf: faultIn,
  }
}

/**
 * The page that accepts an invitation.
 *
 * @param profile the JSON Schema of the profile of a new account
 */
export function acceptPage(
  { accept, isOpen }: Pick<Invitations, 'accept' | 'isOpen'>,
  { minLength }: Pick<PasswordPolicy, 'minLength'>,
  profile: JsonObject,
): FormPage {
  const profileFields = profileFieldsOf(profile)
  return {
    name: 'accept-invitation',
    summary: 'Accept an invitation',
    refuses: { ...refusesTaken, ...refusesFields },
    fieldNames: ['username', 'password', ...profileFields.names, acceptedName],
    texts: ({ texts }) => texts.accept,
    fields(reader, typed, refused) {
      const { texts } = reader
      const { username: label, usernameHint: hint, password } = texts
      return [
        loginName({ name: 'username', label, hint }, typed.get('username') ?? ''),
        newPassword({ name: 'password', label: password }, texts, { minLength, refused }),
        ...profileFields.show(typed, texts),
        ...acceptanceFields(reader, typed),
      ]
    },
    isOpen,
    submit(form, request, { brand }) {
      const accepted = readAcceptance(form, brand)
      const [username, password] = [form.get('username'), form.get('password')]
      const members = {
        ...profileFields.read(form),
        ...(username && { username }),
        ...(password && { password }),
      }
      return accept({ token: form.get('token') ?? '' }, members, byStranger(request), accepted)
    },
    faultOf: faultIn,
  }
}

/** Returns the fault of a field that was refused, or of a name or an address that is taken. */
function faultIn(error: ProblemError, reader: PageReader): MaybeFault {
  const field = fieldIn(error)
  const { faults, accept } = reader.texts
  if (error.status !== 422) return error.status === 409 ? { field, text: accept.taken } : undefined
  const [first, ...others] = fieldFaults(error, reader)
  return { ...(first ?? { text: brokenRule(error, reader, faults.input) }), others }
}

function fieldIn({ errors = [] }: ProblemError): string | undefined {
  return errors[0]?.loc[1]?.toString()
}
