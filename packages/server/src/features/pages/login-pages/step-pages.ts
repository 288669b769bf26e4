// What the pages of a login look like. Each function makes one page.
import type { HttpAnswer } from 'keystile/internal'
import { checkOf, fieldOf } from '../../../pages/field.ts'
import { Html, joined, markup } from '../../../pages/html.ts'
import {
  buttonOf,
  codesOf,
  faultOf,
  linksOf,
  noteOf,
  secretOf,
  stepsOf,
  whoOf,
  type Link,
} from '../../../pages/parts.ts'
import type { ShownSecret } from '../../credentials/second-factors/shown-secret.ts'
import { loginField, passwordField } from '../account-pages/fields.ts'
import { formatTime } from '../account-pages/format-time.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { secondSteps, shownMethods, type ShownMethod } from './second-steps.ts'
import {
  answer,
  codeField,
  faultyField,
  formOf,
  formPage,
  switchTo,
  warning,
  type DrawnForm,
  type PageFault,
} from './step-form.ts'

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

/** The box for a person who wants to be asked for no factor on this device. */
interface Remember {
  readonly days: number
  readonly isTicked: boolean
}

/** Which links the page of the login has. */
export interface Offers {
  readonly forgotPassword: boolean
  readonly registration: boolean
}

export interface ShownLogin {
  /** The name in the field. */
  readonly username?: string | undefined
  /** What the person has done before. */
  readonly done?: string | undefined
  /** Whether the login of this browser has ended without a log-out here. */
  readonly hasEnded?: boolean
  readonly fault?: PageFault
}

/** Name and password are on one page: a page that asks the name first would tell who exists. */
export function loginPage(
  reader: PageReader,
  { forgotPassword, registration }: Offers,
  { username = '', done, hasEnded, fault }: ShownLogin = {},
): HttpAnswer {
  const { loginPage: texts, login, forgot, register } = reader.texts
  const { base } = reader.brand
  const links: readonly Link[] = [
    ...(forgotPassword ? [{ label: forgot.heading, href: `${base}/account/forgot-password` }] : []),
    ...(registration ? [{ label: register.link, href: `${base}/register` }] : []),
  ]
  return formPage(reader, {
    heading: texts.heading,
    intro: `${texts.toAccount} ${reader.brand.name}`,
    before:
      done !== undefined
        ? noteOf(done, { tone: 'done' })
        : hasEnded
          ? noteOf(texts.ended, { icon: 'lock' })
          : undefined,
    action: `${base}/login`,
    fields: [
      fieldOf({
        ...loginField({ name: 'username', label: login }, username),
        hasFocus: !fault && username === '',
      }),
      faultyField({ ...passwordField(reader), hasFocus: !fault && username !== '' }, fault),
    ],
    button: texts.button,
    fault,
    hasField: true,
    after: linksOf(...links),
  })
}

export function stepPage(reader: PageReader, step: Step, fault?: PageFault): HttpAnswer {
  const { authSession: attempt, account } = step
  const who = account === undefined ? undefined : whoIs(reader, account, 'login')
  const shown = { before: who, action: factorPath(reader), sends: { attempt, account } }
  if (step.outcome === 'next') {
    const { button: label } = reader.texts.loginPage.expired
    const back = buttonOf({ label, href: `${reader.brand.base}/login` })
    // Only codes of the app have a limit.
    const isSpared = fault?.error?.status === 429 && step.methods.includes('recovery_code')
    const { meanwhile } = reader.texts.loginPage.recovery
    const said = isSpared ? { ...fault, text: `${fault.text} ${meanwhile}` } : fault
    return factorPage(reader, { ...step, ...shown, back }, said)
  }
  if (step.needsEmailCode) return mailboxPage(reader, shown, fault)
  return step.shown
    ? appPage(reader, { ...shown, secret: step.shown }, fault)
    : enrolPage(reader, shown, fault)
}

/** Says whose login it is. A link leads to `/login`, or to `/logout` if a login must end first. */
function whoIs({ brand, texts }: PageReader, account: string, other: 'login' | 'logout'): Html {
  const { again, notYou: label } = texts.loginPage
  return whoOf(account, again.account, { label, href: `${brand.base}/${other}` })
}

/** What a person who is logged in proves again. */
export interface AgainStep {
  /** The name or the address of the account. */
  readonly account: string
  readonly methods: readonly string[]
  readonly shownMethod: ShownMethod
  readonly typed?: string | undefined
  readonly to: string | undefined
}

export function againPage(
  reader: PageReader,
  { account, to, methods, shownMethod, typed }: AgainStep,
  fault?: PageFault,
): HttpAnswer {
  const { again } = reader.texts.loginPage
  const sends = { to }
  const action = `${reader.brand.base}/login/again`
  const who = whoIs(reader, account, 'logout')
  if (!methods.includes('password')) {
    const { back: label } = reader.texts.accountHome
    const back = buttonOf({ label, href: `${reader.brand.base}/account` })
    const before = markup`${noteOf(again.intro, { icon: 'lock' })}\n${who}`
    return factorPage(reader, { before, action, sends, methods, shownMethod, typed, back }, fault)
  }
  return formPage(reader, {
    heading: again.heading,
    intro: again.intro,
    before: who,
    action,
    sends,
    fields: [faultyField({ ...passwordField(reader), hasFocus: true }, fault)],
    button: again.button,
    fault,
    hasField: true,
  })
}

/** Who does a step, and where its form goes. */
interface StepForm extends Pick<DrawnForm, 'action' | 'sends'> {
  readonly before: Html | undefined
}

interface FactorForm extends StepForm {
  readonly methods: readonly string[]
  readonly shownMethod: ShownMethod
  readonly typed?: string | undefined
  readonly remember?: Remember | undefined
  /** The way out for a person who can prove none of the methods here. */
  readonly back: Html
}

/** The page for one of the methods that the person may prove, with links to the others. */
function factorPage(
  reader: PageReader,
  { methods, shownMethod, typed, remember, back, ...form }: FactorForm,
  fault: PageFault | undefined,
): HttpAnswer {
  const { loginPage: texts } = reader.texts
  const known = shownMethods.filter((method) => methods.includes(method))
  const name = known.includes(shownMethod) ? shownMethod : known[0]
  if (name === undefined) {
    const { heading, text: intro } = texts.elsewhere
    return answer(reader, { heading, intro, emblem: warning, content: back })
  }

  const others = known.filter((other) => other !== name)
  const { shown, hint, attributes: attributesWith } = secondSteps[name](texts)
  // A value that was not refused may still be right, so it must not be in a page.
  const attributes = attributesWith(fault && !fault.error ? typed : undefined)
  return formPage(reader, {
    heading: shown.heading,
    intro: shown.intro,
    ...form,
    fields: [
      faultyField({ name, label: shown.label, hint, attributes, hasFocus: true }, fault),
      ...(remember ? [rememberBox(reader, remember)] : []),
    ],
    button: shown.button,
    fault,
    hasField: true,
    after: joined(
      others.map((other) => switchTo(reader, other, secondSteps[other](texts).link, form)),
    ),
  })
}

function rememberBox({ texts }: PageReader, { days, isTicked }: Remember): Html {
  const label = texts.loginPage.factor.remember(days)
  return checkOf({ name: 'remember', label, isOptional: true, box: { value: 'on', isTicked } })
}

/** A person who must set up a factor first proves that the mails to the account reach them. */
function mailboxPage(reader: PageReader, form: StepForm, fault?: PageFault): HttpAnswer {
  const { enrol, mailbox } = reader.texts.loginPage
  return formPage(reader, {
    heading: mailbox.heading,
    intro: mailbox.intro,
    emblem: { icon: 'mail' },
    ...form,
    sends: { ...form.sends, enrol: 'totp' },
    fields: [faultyField({ ...codeField('email_code', reader.texts.code), hasFocus: true }, fault)],
    button: enrol.next,
    fault,
    hasField: true,
  })
}

function enrolPage(reader: PageReader, form: StepForm, fault?: PageFault): HttpAnswer {
  const { enrol } = reader.texts.loginPage
  return formPage(reader, {
    heading: enrol.heading,
    intro: enrol.intro,
    ...form,
    sends: { ...form.sends, enrol: 'totp' },
    fields: [],
    button: enrol.next,
    fault,
  })
}

/** Shows the secret of the app, and asks for its first code. */
function appPage(
  reader: PageReader,
  { before, secret, ...step }: StepForm & { readonly secret: ShownSecret },
  fault?: PageFault,
): HttpAnswer {
  const { enrol, factor } = reader.texts.loginPage
  const shown = fault?.error ? fault : fault && { text: enrol.wrongCode }
  const fields = [faultyField(codeField('otp', factor.label), shown)]
  const form = formOf(reader, { ...step, fields, button: enrol.button })
  return answer(reader, {
    heading: enrol.heading,
    intro: enrol.intro,
    content: markup`${before}
${fault?.error && faultOf(fault.text)}
${appSteps(reader, secret, form)}`,
    fault,
  })
}

/** Shows how to add an account to an app. The last step is the form for the first code. */
export function appSteps(
  { texts }: PageReader,
  { secret, uri, qrSvg }: ShownSecret,
  form: Html,
): Html {
  const { enrol } = texts.loginPage
  const open = buttonOf({ label: enrol.open, href: uri, kind: 'second' })
  return stepsOf([
    { title: enrol.getApp, content: markup`<p class="soft">${enrol.anyApp}</p>` },
    {
      title: enrol.scan,
      content: markup`<div class="touch">${open}</div>
${new Html(qrSvg.replace('<svg ', '<svg class="qr" '))}
<div><p class="hint">${enrol.orType}</p>
${secretOf(secret)}</div>`,
    },
    { title: enrol.enterCode, content: form },
  ])
}

interface NewCodes {
  readonly codes: readonly string[]
  /** The name of the account. */
  readonly account: string
  /** Where the person goes on. */
  readonly next: string
}

/** The box that a person ticks who has saved the codes. It is in the query of the next page. */
export const savedName = 'saved'

/** Shows the recovery codes, once. */
export function codesPage(reader: PageReader, { next, ...made }: NewCodes): HttpAnswer {
  const { codes: texts } = reader.texts.loginPage
  const { name, href } = codesFile(reader, made)
  return answer(reader, {
    heading: texts.heading,
    intro: texts.intro,
    content: markup`${codesOf(made.codes)}
<div class="links screen"><a download="${name}" href="${href}">${texts.save}</a></div>
${noteOf(texts.keep)}
<form action="${next}">
${checkOf({ name: savedName, label: texts.saved })}
${buttonOf({ label: texts.button })}
</form>`,
  })
}

/** Returns a text file with the codes, which says whose they are. */
function codesFile(
  { brand, language, texts }: PageReader,
  { codes, account }: Pick<NewCodes, 'codes' | 'account'>,
): { readonly name: string; readonly href: string } {
  const { loginPage, accountHome } = texts
  const day = formatTime(new Date().toISOString(), language, 'days')
  const lines = [
    `${brand.name}: ${accountHome.codes.title}`,
    `${loginPage.again.account}${account}`,
    `${day} (UTC)`,
    loginPage.codes.once,
    '',
    ...codes,
    '',
  ]
  const service = brand.name.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '')
  return {
    name: `${service}-recovery-codes.txt`.replace(/^-/, ''),
    href: `data:text/plain;charset=utf-8,${encodeURIComponent(lines.join('\n').toWellFormed())}`,
  }
}

const factorPath = ({ brand }: PageReader): string => `${brand.base}/login/factor`
