// The box with which a person accepts the terms of the app, and says that they have read its
// privacy notice. Each page that creates an account has it, if one of the URLs is set.
import { ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { Brand } from '../../../pages/brand.ts'
import { linkedOf } from '../../../pages/parts.ts'
import type { Acceptance } from '../../users/accounts/acceptance.ts'
import { acceptedName } from './field-names.ts'
import type { ShownField } from './form.ts'
import type { PageReader } from './reader.ts'

/** Returns the box; none if there is nothing to accept. */
export function acceptanceFields(
  { brand, texts: { acceptance } }: PageReader,
  typed: Form,
): readonly ShownField[] {
  const urls = urlsOf(brand)
  if (urls.length === 0) return []

  const label = linkedOf(
    sentenceFor(brand, acceptance),
    ...urls.map((href) => ({ href, isApart: true })),
  )
  const value = urls.join(' ')
  const isTicked = typed.get(acceptedName) === value
  return [{ name: acceptedName, label, box: { value, isTicked } }]
}

/**
 * Reads what a person has accepted. A box that was shown for other addresses does not count.
 *
 * @throws {ProblemError} `unprocessable_content` if the box is not ticked
 */
export function readAcceptance(form: Form, brand: Brand): Acceptance | undefined {
  const urls = urlsOf(brand)
  if (urls.length === 0) return undefined
  if (form.get(acceptedName) === urls.join(' '))
    return { terms: brand.termsUrl, privacy: brand.privacyUrl }

  const msg = 'The box must be ticked'
  const errors = [{ loc: ['body', acceptedName], msg, type: 'value_error' }]
  throw new ProblemError('unprocessable_content', msg, { errors })
}

function sentenceFor(
  { termsUrl, privacyUrl }: Brand,
  { terms, privacy, both }: PageReader['texts']['acceptance'],
): string {
  if (termsUrl === undefined) return privacy
  return privacyUrl === undefined ? terms : both
}

function urlsOf({ termsUrl, privacyUrl }: Brand): readonly string[] {
  return [termsUrl, privacyUrl].filter((url) => url !== undefined)
}
