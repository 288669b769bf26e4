// What a page says about a refusal, and at which field. All pages with a form use it.
import type { ProblemError } from 'keystile/internal'
import { markup, type Html } from '../../../pages/html.ts'
import type { Page } from '../../../pages/layout.ts'
import { passwordFaultCodes, type PasswordFault } from '../../credentials/password-policy/policy.ts'
import { acceptedName } from './field-names.ts'
import type { PageReader } from './reader.ts'

export interface Fault {
  /** The name of the field that has the fault; undefined if the fault is not in a field. */
  readonly field?: string | undefined
  readonly text: string | Html
  /** The faults of other fields. */
  readonly others?: readonly Fault[]
}

export interface Refused extends Fault {
  readonly error: ProblemError
}

export function allFaults(refused: Refused | undefined): readonly Fault[] {
  return refused ? [refused, ...(refused.others ?? [])] : []
}

/** Returns how a page answers what was refused. */
export function answerTo(
  refused: Refused | undefined,
): Pick<Page, 'hasFault' | 'status' | 'retryAfterSeconds'> {
  if (!refused) return {}
  const { status, retryAfterSeconds } = refused.error
  return { hasFault: true, status, retryAfterSeconds }
}

/** Returns what all pages say if a service has no time for a request. */
export function generalFault(
  { status, retryAfterSeconds = 0 }: ProblemError,
  { language, texts: { faults } }: PageReader,
): { readonly text: string } {
  if (status !== 429) return { text: faults.unavailable }
  return { text: faults.tooMany(waitOf(retryAfterSeconds, language)) }
}

/** Writes how long a person waits, in minutes or hours. */
function waitOf(seconds: number, language: string): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  const [length, unit] = minutes < 120 ? [minutes, 'minute'] : [Math.ceil(minutes / 60), 'hour']
  return length.toLocaleString(language, { style: 'unit', unit, unitDisplay: 'long' })
}

/** Returns the field of a form or of a request body that a refusal is about. */
export function fieldIn({ errors = [] }: Pick<ProblemError, 'errors'>): string | undefined {
  return errors[0]?.loc[1]?.toString()
}

/** Returns the faults of the fields that a refusal names, in its order. */
export function fieldFaults(
  { message, errors = [] }: ProblemError,
  reader: PageReader,
): readonly Fault[] {
  const { acceptance, faults } = reader.texts
  return errors.map((one) => {
    const broken = { message, errors: [one] }
    const field = fieldIn(broken)
    const text =
      field === acceptedName ? acceptance.missing : brokenRule(broken, reader, faults.input)
    return { field, text }
  })
}

/** Returns the faults of the fields that were refused, or of a name or an address that is taken. */
export function refusedFault(error: ProblemError, reader: PageReader): Fault | undefined {
  const { faults, accept } = reader.texts
  if (error.status === 409) return { field: fieldIn(error), text: accept.taken }
  if (error.status !== 422) return undefined
  const [first, ...others] = fieldFaults(error, reader)
  return { ...(first ?? { text: brokenRule(error, reader, faults.input) }), others }
}

/**
 * Returns the rule that a refused form broke, in the language of the reader if the rule is about a
 * password. The other rules write their messages only in English.
 *
 * @param before a sentence in the language of the reader, before a message in English
 */
export function brokenRule(
  { message, errors = [] }: Pick<ProblemError, 'message' | 'errors'>,
  { language, texts: { passwordFaults } }: PageReader,
  before: string,
): Html {
  const code = passwordFaultOf({ errors })
  if (code && passwordFaults) return markup`${passwordFaults[code]}`

  const english = markup`<span lang="en">${errors[0]?.msg ?? message}.</span>`
  return language === 'en' ? english : markup`${before} ${english}`
}

/** Returns the rule of the password policy that a form broke, also beside other faults. */
export function passwordFaultOf({
  errors = [],
}: Pick<ProblemError, 'errors'>): PasswordFault['code'] | undefined {
  return passwordFaultCodes.find((known) => errors.some(({ type }) => type === known))
}
