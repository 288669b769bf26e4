// What the pages of a login look like. Each function makes one page.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import { Html, joined, markup } from '../../../pages/html.ts'
import { checkOf, codeAttributes, fieldOf, hiddenField } from '../../../pages/field.ts'
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
import { currentPassword, loginName } from '../account-pages/fields.ts'
import { page, type PageReader } from '../account-pages/page-parts.ts'
import { secondSteps, shownMethods, type ShownMethod } from './second-steps.ts'

export interface PageFault {
  readonly text: string
  /** Undefined if the person typed something wrong. */
  readonly error?: ProblemError
}

/** What a person does after the password. */
export type Step = {
  readonly authSession: string
  /** The method that the person has chosen. */
  readonly shownMethod: ShownMethod
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
  readonly done?: string
  readonly fault?: PageFault
}

/** Name and password are on one page: a page that asks the name first would tell who exists. */
export function loginPage(
  reader: PageReader,
  { forgotPassword, registration }: Offers,
  { username = '', done, fault }: ShownLogin = {},
): HttpAnswer {
  const { loginPage: texts, login, forgot, register } = reader.texts
  const { base } = reader.brand
  const links: readonly Link[] = [
    ...(forgotPassword ? [{ label: forgot.heading, href: `${base}/account/forgot-password` }] : []),
    ...(registration ? [{ label: register.link, href: `${base}/register` }] : []),
  ]
  return formPage(reader, {
    heading: texts.heading,
    intro: `${texts.toContinue} ${reader.brand.name}`,
    before: done === undefined ? undefined : noteOf(done, { tone: 'done' }),
    action: `${base}/login`,
    fields: [
      fieldOf(loginName({ name: 'username', label: login }, username)),
      fieldOf(currentPassword(reader)),
    ],
    button: texts.button,
    fault,
    after: linksOf(...links),
  })
}

export function stepPage(reader: PageReader, step: Step, fault?: PageFault): HttpAnswer {
  const { authSession } = step
  if (step.outcome === 'next') {
    const form = { action: factorPath(reader), sends: { attempt: authSession } }
    const { button: label } = reader.texts.loginPage.expired
    const back = buttonOf({ label, href: `${reader.brand.base}/login` })
    return factorPage(reader, { ...step, ...form, back }, fault)
  }
  if (step.needsEmailCode) return mailboxPage(reader, authSession, fault)
  return step.shown
    ? appPage(reader, authSession, step.shown, fault)
    : enrolPage(reader, authSession, fault)
}

/** What a person who is logged in proves again. */
export interface AgainStep {
  /** The name or the address of the account. */
  readonly account: string
  readonly methods: readonly string[]
  readonly shownMethod: ShownMethod
  readonly to: string | undefined
}

export function againPage(
  reader: PageReader,
  { account, to, methods, shownMethod }: AgainStep,
  fault?: PageFault,
): HttpAnswer {
  const { again } = reader.texts.loginPage
  const sends = { to }
  const action = `${reader.brand.base}/login/again`
  if (!methods.includes('password')) {
    const { back: label } = reader.texts.accountHome
    const back = buttonOf({ label, href: `${reader.brand.base}/account` })
    return factorPage(reader, { action, sends, methods, shownMethod, back }, fault)
  }
  const label = reader.texts.password
  const attributes = markup`type="password" autocomplete="current-password"`
  return formPage(reader, {
    heading: again.heading,
    intro: again.intro,
    before: whoOf(account, again.account),
    action,
    sends,
    fields: [faultyField('password', label, attributes, fault)],
    button: again.button,
    fault,
    hasField: true,
  })
}

interface FactorForm extends Pick<DrawnForm, 'action' | 'sends'> {
  readonly methods: readonly string[]
  readonly shownMethod: ShownMethod
  readonly remember?: Remember | undefined
  /** The way out for a person who can prove none of the methods here. */
  readonly back: Html
}

/** The page for one of the methods that the person may prove, with links to the others. */
function factorPage(
  reader: PageReader,
  { methods, shownMethod, remember, back, ...form }: FactorForm,
  fault: PageFault | undefined,
): HttpAnswer {
  const { loginPage: texts } = reader.texts
  const known = shownMethods.filter((name) => methods.includes(name))
  const name = known.includes(shownMethod) ? shownMethod : known[0]
  if (name === undefined) {
    const { heading, text: intro } = texts.elsewhere
    return answer(reader, { heading, intro, emblem: warning, content: back })
  }

  const others = known.filter((other) => other !== name)
  const { shown, attributes } = secondSteps[name](texts)
  return formPage(reader, {
    heading: shown.heading,
    intro: shown.intro,
    ...form,
    fields: [
      faultyField(name, shown.label, attributes, fault),
      ...(remember ? [rememberBox(reader, remember)] : []),
    ],
    button: shown.button,
    fault,
    hasField: true,
    after: joined(others.map((other) => switchTo(other, secondSteps[other](texts).link, form))),
  })
}

function rememberBox({ texts }: PageReader, { days, isTicked }: Remember): Html {
  const label = texts.loginPage.factor.remember(days)
  return checkOf({ name: 'remember', label, isOptional: true, box: { value: 'on', isTicked } })
}

/** A person who must set up a factor first proves that the mails to the account reach them. */
function mailboxPage(reader: PageReader, authSession: string, fault?: PageFault): HttpAnswer {
  const { enrol, mailbox } = reader.texts.loginPage
  return formPage(reader, {
    heading: mailbox.heading,
    intro: mailbox.intro,
    action: factorPath(reader),
    sends: { attempt: authSession, enrol: 'totp' },
    fields: [faultyField('email_code', reader.texts.code, codeAttributes(), fault)],
    button: enrol.next,
    fault,
    hasField: true,
  })
}

function enrolPage(reader: PageReader, authSession: string, fault?: PageFault): HttpAnswer {
  const { enrol } = reader.texts.loginPage
  return formPage(reader, {
    heading: enrol.heading,
    intro: enrol.intro,
    action: factorPath(reader),
    sends: { attempt: authSession, enrol: 'totp' },
    fields: [],
    button: enrol.next,
    fault,
  })
}

/** Shows the secret of the app, and asks for its first code. */
function appPage(
  reader: PageReader,
  authSession: string,
  shown: ShownSecret,
  fault?: PageFault,
): HttpAnswer {
  const { enrol, factor } = reader.texts.loginPage
  const form = formOf({
    action: factorPath(reader),
    sends: { attempt: authSession },
    fields: [faultyField('otp', factor.label, codeAttributes(), fault)],
    button: enrol.button,
  })
  return answer(reader, {
    heading: enrol.heading,
    intro: enrol.intro,
    content: markup`${fault?.error && faultOf(fault.text)}
${appSteps(reader, shown, form)}`,
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
  return stepsOf([
    { title: enrol.getApp, content: markup`<p class="soft">${enrol.anyApp}</p>` },
    {
      title: enrol.scan,
      content: markup`${new Html(qrSvg.replace('<svg ', '<svg class="qr" '))}
${buttonOf({ label: enrol.open, href: uri, kind: 'second' })}
<div><p class="hint">${enrol.orType}</p>
${secretOf(secret)}</div>`,
    },
    { title: enrol.enterCode, content: form },
  ])
}

/** Shows the recovery codes, once. */
export function codesPage(reader: PageReader, codes: readonly string[], next: string): HttpAnswer {
  const { codes: texts } = reader.texts.loginPage
  const file = `${reader.brand.name}\n\n${codes.join('\n')}\n`
  const href = `data:text/plain;charset=utf-8,${encodeURIComponent(file)}`
  return answer(reader, {
    heading: texts.heading,
    intro: texts.intro,
    content: markup`${codesOf(codes)}
<div class="links screen"><a download="recovery-codes.txt" href="${href}">${texts.save}</a></div>
${noteOf(texts.keep)}
<form action="${next}">
${checkOf({ name: 'saved', label: texts.saved })}
${buttonOf({ label: texts.button })}
</form>`,
  })
}

/** The login has ended, has expired, or began in another browser. */
export function expiredPage(reader: PageReader, fault?: PageFault): HttpAnswer {
  const { expired } = reader.texts.loginPage
  return brokenPage(reader, expired.heading, fault ?? { text: expired.text })
}

/** The browser has sent no cookie of the page with the form. */
export function cookiesOffPage(reader: PageReader): HttpAnswer {
  const { heading, text } = reader.texts.loginPage.cookiesOff
  return brokenPage(reader, heading, { text })
}

/** A page from which a person can only begin again. */
function brokenPage(reader: PageReader, heading: string, fault: PageFault): HttpAnswer {
  const { button: label } = reader.texts.loginPage.expired
  return answer(reader, {
    heading,
    intro: fault.text,
    emblem: warning,
    content: buttonOf({ label, href: `${reader.brand.base}/login` }),
    fault,
  })
}

export function logoutPage(reader: PageReader): HttpAnswer {
  const { heading, intro, button } = reader.texts.loginPage.logout
  return formPage(reader, {
    heading,
    intro,
    action: `${reader.brand.base}/logout`,
    fields: [],
    button,
  })
}

export function loggedOutPage(reader: PageReader): HttpAnswer {
  const { done, again: label } = reader.texts.loginPage.logout
  return answer(reader, {
    heading: done.heading,
    intro: done.text,
    emblem: { icon: 'check', tone: 'done' },
    content: buttonOf({ label, href: `${reader.brand.base}/login` }),
  })
}

const warning = { icon: 'warning', tone: 'care' } as const
const factorPath = ({ brand }: PageReader): string => `${brand.base}/login/factor`

interface DrawnForm {
  readonly action: string
  /** Hidden fields. Those that are undefined are left out. */
  readonly sends?: Readonly<Record<string, string | undefined>>
  readonly fields: readonly Html[]
  readonly button: string
}

function formPage(
  reader: PageReader,
  {
    heading,
    intro,
    before,
    fault,
    hasField,
    after,
    ...form
  }: DrawnForm & {
    readonly heading: string
    readonly intro: string
    readonly before?: Html | undefined
    readonly fault?: PageFault | undefined
    /** Whether a wrong value is shown at its field: see `faultyField`. */
    readonly hasField?: boolean
    readonly after?: Html | undefined
  },
): HttpAnswer {
  const content = markup`${before}
${fault && (fault.error || !hasField) ? faultOf(fault.text) : undefined}
${formOf(form)}
${after}`
  return answer(reader, { heading, intro, content, fault })
}

function formOf({ action, sends, fields, button }: DrawnForm): Html {
  return markup`<form method="post" action="${action}">
${hiddenOf(sends)}
${joined(fields.map((field) => markup`${field}\n`))}
${buttonOf({ label: button })}
</form>`
}

/** A field whose value was wrong, unless the service had no time for it. */
function faultyField(name: string, label: string, attributes: Html, fault?: PageFault): Html {
  const wrong = fault && !fault.error ? markup`${fault.text}` : undefined
  return fieldOf({ name, label, attributes, fault: wrong })
}

function hiddenOf(sends: DrawnForm['sends'] = {}): Html {
  const fields = Object.entries(sends).map(([name, value]) =>
    value === undefined ? '' : markup`${hiddenField(name, value)}\n`,
  )
  return joined(fields)
}

/** A form with a button that looks like a link: an attempt must not be in an address. */
function switchTo(
  method: string,
  label: string,
  { action, sends }: Pick<DrawnForm, 'action' | 'sends'>,
): Html {
  return markup`<form class="links" method="post" action="${action}">
${hiddenOf(sends)}
<button name="show" value="${method}">${label}</button>
</form>`
}

type Shown = Parameters<typeof page>[1]

function answer(
  reader: PageReader,
  { fault, ...shown }: Shown & { readonly fault?: PageFault | undefined },
): HttpAnswer {
  const { status = 400, retryAfterSeconds } = fault?.error ?? {}
  return page(reader, {
    ...shown,
    referrerPolicy: 'same-origin',
    ...(fault && { hasFault: true, status, retryAfterSeconds }),
  })
}
