// What describes a page that the link in a mail opens. `link-page-routes.ts` makes its routes.
import type { HttpRequestWithBody, ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { Html } from '../../../pages/html.ts'
import type { Emblem } from '../../../pages/parts.ts'
import type { FormTexts } from '../../mail/messages/text-types.ts'
import type { Fault, Refused } from './faults.ts'
import { requestName } from './field-names.ts'
import type { ShownField } from './form.ts'
import type { PageReader } from './reader.ts'
import type { End } from './ways-on.ts'

export interface LinkPage {
  /** The last part of the path of the page: the page is at `/account/NAME`. */
  readonly name: string
  /** What the OpenAPI document says about opening the page, such as `Accept an invitation`. */
  readonly summary: string
  /** What it says about sending the form. Default: `Submit the form to accept an invitation`. */
  readonly sentSummary?: string
  /** Descriptions of refusals that differ from those of `describeForm()`, by HTTP status. */
  readonly refuses?: Readonly<Record<number, string>>
  /** The names of the fields of the form, besides the token. */
  readonly fieldNames: readonly string[]
  /** Where the flow ends. Default: at the login. */
  readonly end?: End | undefined
  /** What the page says below a form that takes the code of a mail. */
  help?(reader: PageReader): Html
  /** A link to the page where a person asks for another mail. */
  again?(reader: PageReader): { readonly href: string; readonly label: string }
  texts(reader: PageReader, typed: Form, refused?: Refused): ShownTexts
  /**
   * Returns the fields of the form. `typed` has the values from the person's last try. A password
   * is not shown again.
   */
  fields(reader: PageReader, typed: Form, refused?: Refused): readonly ShownField[]
  /** Whether the token of a link can still be used. Changes nothing. */
  isOpen(token: string): Promise<boolean>
  /**
   * Returns the name of the page of the account that has the link instead, for the user who is
   * logged in. Undefined if the link is not of this user.
   */
  ownPage?(token: string, subject: string): Promise<string | undefined>
  /**
   * Does what the button of the form says. If it throws a `ProblemError`, the page shows it.
   *
   * @returns values of `Set-Cookie`, for a server at whose pages people log in
   */
  submit(
    form: Form,
    request: HttpRequestWithBody,
    reader: PageReader,
  ): Promise<readonly string[] | undefined>
  /**
   * Returns which field a refusal is about, and what the page says. Undefined if the link does not
   * work (403), or for the text that all pages show.
   */
  faultOf(
    error: ProblemError,
    reader: PageReader,
    form: Form,
  ): Fault | undefined | Promise<Fault | undefined>
}

/** Descriptions of refusals that several of these pages have, by HTTP status. */
export const refusals = {
  ofLink: { 403: 'A page: the link or the password is wrong, or the link was used or has expired' },
  ofField: { 422: 'A page: a field is not acceptable' },
  taken: { 409: 'A page: the user name or the address is taken' },
} as const

type ShownTexts = FormTexts & {
  readonly intro?: string
  readonly noToken?: string
  readonly emblem?: Emblem
}

/** Whether the page takes the code of a mail, in place of the token of its link. */
export function takesCode({ fieldNames }: LinkPage): boolean {
  return fieldNames.includes(requestName)
}
