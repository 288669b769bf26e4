// The login methods of a second step that the pages can ask for. A person who can prove none of
// them gets a page that says so.
import { codeAttributes } from '../../../pages/field.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import type { PageReader } from '../account-pages/reader.ts'

/** If a person may prove several, the page asks for the first one, and links to the others. */
export const shownMethods = ['otp', 'recovery_code'] as const
export type ShownMethod = (typeof shownMethods)[number]

type Texts = PageReader['texts']['loginPage']

/** A method has one field, which has its name. A method with another form must extend this. */
interface SecondStep {
  readonly shown: Pick<Texts['recovery'], 'heading' | 'intro' | 'label' | 'button'>
  readonly hint?: string
  /** The text of the link to this method. */
  readonly link: string
  /** @param typed a refused value, so that the person sees the typing error */
  attributes(typed?: string): Html
}

export const secondSteps: Readonly<Record<ShownMethod, (texts: Texts) => SecondStep>> = {
  otp: ({ factor, recovery }) => ({
    shown: factor,
    link: recovery.other,
    // The next code of the app is another one.
    attributes: () => codeAttributes(),
  }),
  recovery_code: ({ factor, recovery }) => ({
    shown: recovery,
    hint: recovery.hint,
    link: factor.other,
    attributes: (typed = '') =>
      joined([
        markup`class="code long" autocomplete="off" autocapitalize="none" `,
        markup`spellcheck="false" dir="ltr" value="${typed}"`,
      ]),
  }),
}
