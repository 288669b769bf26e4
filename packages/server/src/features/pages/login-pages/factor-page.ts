// The page for the code of an app, or for a recovery code.
import type { HttpAnswer } from 'keystile/internal'
import { checkOf } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import type { PageReader } from '../account-pages/reader.ts'
import { secondSteps, shownMethods, type ShownMethod } from './second-steps.ts'
import {
  faultyField,
  stepAnswer,
  stepFormPage,
  switchTo,
  warning,
  type StepFault,
  type StepForm,
} from './step-form.ts'

/** The box for a person who wants to be asked for no factor on this device. */
export interface Remember {
  readonly days: number
  readonly isTicked: boolean
}

interface FactorForm extends StepForm {
  readonly methods: readonly string[]
  readonly shownMethod: ShownMethod
  readonly typed?: string | undefined
  readonly remember?: Remember | undefined
  /** The way out for a person who can prove none of the methods here. */
  readonly back: Html
  /** What the page says below the other methods. */
  readonly after?: Html | undefined
}

/** The page for one of the methods that the person may prove, with links to the others. */
export function factorPage(
  reader: PageReader,
  { methods, shownMethod, typed, remember, back, after, ...form }: FactorForm,
  fault: StepFault | undefined,
): HttpAnswer {
  const { loginPage: texts } = reader.texts
  const known = shownMethods.filter((method) => methods.includes(method))
  const name = known.includes(shownMethod) ? shownMethod : known[0]
  if (name === undefined) {
    const { heading, text: intro } = texts.elsewhere
    return stepAnswer(reader, { heading, intro, emblem: warning, content: back })
  }

  const others = known.filter((other) => other !== name)
  const { shown, hint, attributes: attributesWith } = secondSteps[name](texts)
  // A value that was not refused may still be right, so it must not be in a page.
  const attributes = attributesWith(fault?.kind === 'wrong' ? typed : undefined)
  return stepFormPage(reader, {
    heading: shown.heading,
    intro: shown.intro,
    ...form,
    fields: [
      faultyField({ name, label: shown.label, hint, attributes, hasFocus: true }, fault),
      ...(remember ? [rememberBox(reader, remember)] : []),
    ],
    button: shown.button,
    fault,
    after: joined([
      ...others.map((other) => switchTo(reader, other, secondSteps[other](texts).link, form)),
      markup`${after}`,
    ]),
  })
}

function rememberBox({ texts }: PageReader, { days, isTicked }: Remember): Html {
  const label = texts.loginPage.factor.remember(days)
  return checkOf({ name: 'remember', label, isOptional: true, box: { value: 'on', isTicked } })
}
