// The pages whose link confirms an address: of an account, or of a registration. The page on which
// people register also confirms with a code, and says the same about a refusal.
import { ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type {
  Confirmation,
  Verifications,
} from '../../mail/email-verification/verification-types.ts'
import { byStranger } from '../../operations/audit/by.ts'
import { parseUsername, type ComparableName } from '../../users/directory/names.ts'
import { brokenRule, fieldIn, passwordFaultOf, type Fault, type Refused } from './faults.ts'
import { loginField, passwordField } from './fields.ts'
import type { ShownField } from './form.ts'
import { refusals, type LinkPage } from './link-page.ts'
import type { PageReader } from './reader.ts'

type Confirming = Pick<Verifications, 'confirm' | 'isOpen'>

/** The page that verifies the address of an account. */
export function verificationPage({ confirm, isOpen }: Confirming): LinkPage {
  return {
    name: 'verify-email',
    summary: 'Confirm the address of an account',
    refuses: refusals.ofLink,
    fieldNames: ['password'],
    end: 'account',
    texts: ({ texts }) => texts.verify,
    fields: (reader, _, refused) => confirmationFields(reader, undefined, refused),
    isOpen,
    async submit(form, request) {
      await confirm(confirmationIn(form, undefined), byStranger(request))
    },
    faultOf: confirmationFault,
  }
}

/** The page that finishes a registration. It asks for another user name if the first is taken. */
export function finishPage({ confirm, isOpen }: Confirming): LinkPage {
  return {
    name: 'finish-registration',
    summary: 'Confirm a registration',
    refuses: { ...refusals.ofLink, ...refusals.taken },
    fieldNames: ['password', 'username'],
    texts: ({ texts }) => texts.finish,
    fields: (reader, typed, refused) => confirmationFields(reader, typed.get('username'), refused),
    isOpen,
    async submit(form, request) {
      const username = readUsername(form.get('username'))
      await confirm(confirmationIn(form, username), byStranger(request))
    },
    faultOf(error, reader) {
      const fault = confirmationFault(error, reader)
      const isOfPassword = fault?.field === 'password'
      return isOfPassword ? { ...fault, text: reader.texts.finish.wrongPassword } : fault
    },
  }
}

/** Asks for the password, and for another user name after the first was refused. */
function confirmationFields(
  reader: PageReader,
  typedName: string | undefined,
  refused: Refused | undefined,
): readonly ShownField[] {
  const isNameRefused = refused?.field === 'username'
  if (typedName === undefined && !isNameRefused) return [passwordField(reader)]

  const { otherUsername: label, usernameHint } = reader.texts
  const hint = isNameRefused ? undefined : usernameHint
  return [loginField({ name: 'username', label, hint }, typedName ?? ''), passwordField(reader)]
}

function confirmationIn(form: Form, username: ComparableName | undefined): Confirmation {
  const presented = { token: form.get('token') ?? '' }
  return { presented, password: form.get('password') ?? '', username }
}

/** @throws {ProblemError} `unprocessable_content` if the person has typed no valid user name */
export function readUsername(typed: string | undefined): ComparableName | undefined {
  if (typed === undefined) return undefined
  const username = parseUsername(typed)
  if (!username) throw new ProblemError('unprocessable_content', 'The user name must be valid')
  return username
}

/** Returns the fault of a confirmation that was refused; undefined for a wrong link or code. */
export function confirmationFault(error: ProblemError, reader: PageReader): Fault | undefined {
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
