// What describes a page of the account. `account-home.ts` lists all, and makes their routes.
import type { HttpAnswer, ProblemError } from 'keystile/internal'
import type { Form } from '../../../http/form.ts'
import type { Fault, Refused } from '../account-pages/faults.ts'
import type { EndpointName } from './endpoint-answers.ts'
import type { Done, Visit } from './visit.ts'

/** One of the pages to which the page of the account leads: `/account/NAME`. */
export interface AccountPage {
  readonly name: string
  readonly section: Section
  /** What the OpenAPI document says about opening the page, and about sending its form. */
  readonly summaries: readonly [opened: string, sent: string]
  /** The endpoint that the page is for. If the endpoint is absent, so is the page. */
  readonly endpoint: EndpointName
  readonly fieldNames: readonly string[]
  /** The endpoint whose demand on the login the opened page has. Default: `endpoint`. */
  admits?(visit: Visit): EndpointName
  /** @param tried what the person has sent, and why it was refused */
  show(visit: Visit, tried?: Tried): HttpAnswer | Promise<HttpAnswer>
  /** Does what the form says. Returns the next page, or what is done. */
  submit(visit: Visit, form: Form): Promise<HttpAnswer | Done>
  /**
   * Answers a form of an earlier login, which does nothing. Undefined leads to the account, as do
   * pages without this.
   */
  answerStale?(visit: Visit, form: Form): Promise<HttpAnswer | undefined>
  /**
   * Returns what the page says about a refusal: undefined for the text that all pages show, `home`
   * if the account is not any more as the page has shown it.
   */
  faultOf(error: ProblemError, visit: Visit, form: Form): Fault | 'home' | undefined
}

/** The ids of the sections of the page. A login that comes from a section leads back to it. */
export type Section = 'profile' | 'sign-in' | 'devices' | 'delete'

export interface Tried {
  readonly form: Form
  readonly refused: Refused
}
