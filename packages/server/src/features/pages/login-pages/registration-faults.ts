// What the pages of a registration say about a refusal.
import { ProblemError } from 'keystile/internal'
import { linkedOf } from '../../../pages/parts.ts'
import { confirmationFault } from '../account-pages/confirmation-page.ts'
import { fieldFaults, generalFault, type Fault, type Refused } from '../account-pages/faults.ts'
import type { PageReader } from '../account-pages/reader.ts'

/** Says why a registration was refused. Throws all other errors again. */
export function refusedRegistration(error: unknown, reader: PageReader): Refused {
  return refusedBy(error, reader, (refusal) => {
    const [first, ...others] = fieldFaults(refusal, reader).map((fault) => ({
      ...fault,
      ...ownText(fault, refusal, reader),
    }))
    return first && { ...first, others }
  })
}

/** Returns the text about a name or an address, in the language of the reader. */
function ownText(
  { field }: Fault,
  { status }: ProblemError,
  { texts }: PageReader,
): { readonly text?: string } {
  const isTaken = status === 409
  const { register, usernameHint, accountHome } = texts
  if (field === 'username') return { text: isTaken ? register.usernameTaken : usernameHint }
  if (field === 'email') return { text: isTaken ? register.emailTaken : accountHome.email.invalid }
  return {}
}

/** Says why a code was refused. Throws all other errors again. */
export function refusedCode(error: unknown, reader: PageReader): Refused {
  return refusedBy(error, reader, (refusal) => {
    const { faults, register } = reader.texts
    // The link of the same mail may have been used in another window.
    const text = linkedOf(`${faults.wrongCode} ${register.sent.linkUsed}`, {
      href: `${reader.brand.base}/login`,
    })
    const wrongCode = { field: 'code', text }
    return confirmationFault(refusal, reader) ?? (refusal.status === 403 ? wrongCode : undefined)
  })
}

function refusedBy(
  error: unknown,
  reader: PageReader,
  faultOf: (refusal: ProblemError) => Fault | undefined,
): Refused {
  if (!(error instanceof ProblemError)) throw error
  return { error, ...(faultOf(error) ?? generalFault(error, reader)) }
}
