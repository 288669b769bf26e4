// What the parts of the page of the account have in common.
import type { Html } from '../../../pages/html.ts'
import { buttonOf, type Part } from '../../../pages/parts.ts'
import type { Section } from './account-page.ts'
import type { Visit } from './visit.ts'

export type HomePart = Part & { readonly id: Section }

/**
 * Writes the button of a row, which leads to one of the pages.
 *
 * @param of what only screen readers say after the label: the name of the row
 */
export function rowButton({ home }: Visit, name: string, label: string, of: string): Html {
  return buttonOf({ label, href: `${home}/${name}`, kind: 'second', isSlim: true, of: ` ${of}` })
}
