// The pages of a login after its first step, and of a login that a person repeats.
import type { HttpAnswer } from 'keystile/internal'
import { markup, type Html } from '../../../pages/html.ts'
import { buttonOf, linksOf, noteOf, whoOf } from '../../../pages/parts.ts'
import type { ShownSecret } from '../../credentials/second-factors/shown-secret.ts'
import { passwordField } from '../account-pages/fields.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { appPage, enrolPage, mailboxPage } from './enrol-pages.ts'
import { factorPage, type Remember } from './factor-page.ts'
import type { ShownMethod } from './second-steps.ts'
import { faultyField, stepFormPage, type StepFault } from './step-form.ts'

/** What a person does after the password. */
export type Step = {
  readonly authSession: string
  /**
   * The name as the person has typed it. Until the login ends, no page tells what else the account
   * has: a thief may know the password.
   */
  readonly account: string | undefined
  /** The method that the person has chosen, and what they have typed for it. */
  readonly shownMethod: ShownMethod
  readonly typed?: string | undefined
} & (
  | {
      readonly outcome: 'next'
      readonly methods: readonly string[]
      readonly remember: Remember | undefined
    }
  | { readonly outcome: 'enrol'; readonly needsEmailCode: boolean; readonly shown?: ShownSecret }
)

export function stepPage(reader: PageReader, step: Step, fault?: StepFault): HttpAnswer {
  const { authSession: attempt, account } = step
  const who = account === undefined ? undefined : whoIs(reader, account, 'login')
  const action = `${reader.brand.base}/login/factor`
  const form = { before: who, action, sends: { attempt, account } }
  if (step.outcome === 'enrol') {
    if (step.needsEmailCode) return mailboxPage(reader, form, fault)
    const { shown: secret } = step
    return secret ? appPage(reader, { ...form, secret }, fault) : enrolPage(reader, form, fault)
  }

  const { button: label } = reader.texts.loginPage.expired
  const back = buttonOf({ label, href: `${reader.brand.base}/login` })
  const isTooMany = fault?.kind === 'refused' && fault.error.status === 429
  // Only codes of the app have a limit.
  const hasOtherWay = isTooMany && step.methods.includes('recovery_code')
  const { meanwhile } = reader.texts.loginPage.recovery
  const said = hasOtherWay ? { ...fault, text: `${fault.text} ${meanwhile}` } : fault
  return factorPage(reader, { ...step, ...form, back }, said)
}

/** Says whose login it is. A link leads to `/login`, or to `/logout` if a login must end first. */
function whoIs({ brand, texts }: PageReader, account: string, other: 'login' | 'logout'): Html {
  const { again, notYou: label } = texts.loginPage
  return whoOf(account, again.account, { label, href: `${brand.base}/${other}` })
}

/** What a person who is logged in proves again. */
interface AgainStep {
  /** The name or the address of the account. */
  readonly account: string
  readonly methods: readonly string[]
  readonly shownMethod: ShownMethod
  readonly typed?: string | undefined
  readonly to: string | undefined
  /** Whether people can set a new password by mail. */
  readonly forgotPassword: boolean
}

export function againPage(
  reader: PageReader,
  { account, to, methods, shownMethod, typed, forgotPassword }: AgainStep,
  fault?: StepFault,
): HttpAnswer {
  const { again } = reader.texts.loginPage
  const { accountHome, forgot, faults } = reader.texts
  const { base } = reader.brand
  const form = { action: `${base}/login/again`, sends: { to } }
  const home = { label: accountHome.back, href: `${base}/account` }
  const who = whoIs(reader, account, 'logout')
  if (methods.includes('password'))
    return stepFormPage(reader, {
      heading: again.heading,
      intro: again.intro,
      before: who,
      ...form,
      fields: [
        faultyField(
          { ...passwordField(reader), hasFocus: true },
          // The person has typed no name.
          fault?.kind === 'wrong' ? { ...fault, text: faults.wrongPassword } : fault,
        ),
      ],
      button: again.button,
      fault,
      after: linksOf(
        ...(forgotPassword
          ? [{ label: forgot.heading, href: `${base}/account/forgot-password` }]
          : []),
        home,
      ),
    })

  const back = buttonOf(home)
  const before = markup`${noteOf(again.intro, { icon: 'lock' })}\n${who}`
  const after = linksOf(home)
  return factorPage(reader, { before, ...form, methods, shownMethod, typed, back, after }, fault)
}
