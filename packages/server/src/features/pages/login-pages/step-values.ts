// What the forms of a login send, and which page comes next.
import type { Form } from '../../../http/form.ts'
import type { LoginOutcome, PresentedValues } from '../../sign-in/login/login.ts'
import type { LoginPageParts } from './login-parts.ts'
import { shownMethods, type ShownMethod } from './second-steps.ts'
import type { Step } from './step-pages.ts'

export const firstNames: readonly string[] = ['username', 'password']
export const laterNames: readonly string[] = [...shownMethods, 'email_code', 'enrol']

export function valuesOf(form: Form, names: readonly string[]): PresentedValues {
  return Object.fromEntries(names.map((name) => [name, filled(form.get(name))]))
}

/** Returns a value, or undefined if it is empty: an empty field counts as missing. */
export function filled(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/** Returns the method that a person has chosen: what the form switches to, or what it proves. */
export function shownMethodOf(form: Form): ShownMethod {
  const show = form.get('show')
  return shownMethods.find((name) => show === name || form.has(name)) ?? shownMethods[0]
}

/** Returns what the person does next; undefined if the login is over. */
export function stepOf(
  outcome: LoginOutcome,
  shown: Pick<Step, 'account' | 'shownMethod' | 'typed'>,
  form: Form,
  { rememberFactorDays: days }: Pick<LoginPageParts<unknown>, 'rememberFactorDays'>,
): Step | undefined {
  if (outcome.outcome === 'enrol') return { ...outcome, ...shown }
  if (outcome.outcome !== 'next' || outcome.authSession === undefined) return undefined
  const { authSession, methods } = outcome
  const remember = days > 0 ? { days, isTicked: form.has('remember') } : undefined
  return { outcome: 'next', authSession, methods, remember, ...shown }
}
