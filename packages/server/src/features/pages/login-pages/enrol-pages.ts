// The pages on which a person sets up an authenticator app before the login ends.
import type { HttpAnswer } from 'keystile/internal'
import { Html, markup } from '../../../pages/html.ts'
import { buttonOf, faultOf, secretOf, stepsOf } from '../../../pages/parts.ts'
import type { ShownSecret } from '../../credentials/second-factors/shown-secret.ts'
import { codeField } from '../account-pages/fields.ts'
import type { PageReader } from '../account-pages/reader.ts'
import {
  drawStepForm,
  faultyField,
  stepAnswer,
  stepFormPage,
  type StepFault,
  type StepForm,
} from './step-form.ts'

/** A person who must set up a factor first proves that the mails to the account reach them. */
export function mailboxPage(reader: PageReader, form: StepForm, fault?: StepFault): HttpAnswer {
  const { enrol, mailbox } = reader.texts.loginPage
  return stepFormPage(reader, {
    heading: mailbox.heading,
    intro: mailbox.intro,
    emblem: { icon: 'mail' },
    ...form,
    sends: { ...form.sends, enrol: 'totp' },
    fields: [faultyField({ ...codeField('email_code', reader.texts.code), hasFocus: true }, fault)],
    button: enrol.next,
    fault,
  })
}

export function enrolPage(reader: PageReader, form: StepForm, fault?: StepFault): HttpAnswer {
  const { enrol } = reader.texts.loginPage
  return stepFormPage(reader, {
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
export function appPage(
  reader: PageReader,
  { before, secret, ...step }: StepForm & { readonly secret: ShownSecret },
  fault?: StepFault,
): HttpAnswer {
  const { enrol, factor } = reader.texts.loginPage
  const shown = fault?.kind === 'wrong' ? { ...fault, text: enrol.wrongCode } : fault
  const fields = [faultyField(codeField('otp', factor.label), shown)]
  const form = drawStepForm(reader, { ...step, fields, button: enrol.button })
  return stepAnswer(reader, {
    heading: enrol.heading,
    intro: enrol.intro,
    content: markup`${before}
${fault?.kind === 'refused' ? faultOf(fault.text) : undefined}
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
  // Keystile has drawn the QR code itself, so the SVG needs no escaping.
  const qr = new Html(qrSvg.replace('<svg ', '<svg class="qr" '))
  return stepsOf([
    { title: enrol.getApp, content: markup`<p class="soft">${enrol.anyApp}</p>` },
    {
      title: enrol.scan,
      content: markup`<div class="touch">${open}</div>
${qr}
<div><p class="hint">${enrol.orType}</p>
${secretOf(secret)}</div>`,
    },
    { title: enrol.enterCode, content: form },
  ])
}
