// The routes of pages: what the OpenAPI document says about them, and how they read a form.
import { OAuthError, ProblemError, type HttpRequestWithBody } from 'keystile/internal'
import { readForm, type Form } from '../../../http/form.ts'
import type { OpenRoute, RouteDoc } from '../../../http/route.ts'
import { formTokenName } from './field-names.ts'

export function pageRoute(
  method: 'GET' | 'POST',
  path: string,
  summary: string,
  { handle, ...doc }: Pick<OpenRoute, 'handle'> & Pick<RouteDoc, 'query' | 'body' | 'refuses'>,
): OpenRoute {
  const success = { status: 200, description: 'A page', type: 'text/html' } as const
  return {
    method,
    path,
    below: 'issuer',
    refusals: 'problem',
    doc: { tag: 'Own account', summary: `Page: ${summary}`, ...doc, success },
    handle,
  }
}

/** Describes the form of a page, and its refusals by HTTP status. */
export function describeForm(
  fields: readonly string[],
  refuses: RouteDoc['refuses'] = {},
): Pick<RouteDoc, 'body' | 'refuses'> {
  const properties = fields.map((name) => [name, { type: 'string' }] as const)
  const schema = { type: 'object', properties: Object.fromEntries(properties) }
  return {
    body: { type: 'form', schema },
    refuses: {
      403: 'A page: the link or the code is wrong, was used before, or has expired',
      422: 'A page: the password is not acceptable',
      429: 'A page: too many tries',
      ...refuses,
    },
  }
}

/** Describes a form that works only with the cookies with which it was drawn. */
export const describeBoundForm: typeof describeForm = (fields, refuses) =>
  describeForm([...fields, formTokenName], refuses)

/**
 * Reads the form of a page.
 *
 * @throws {ProblemError} `bad_request` if the body is not a form, `content_too_large` if the body
 *   is too large
 */
export function readPageForm(request: HttpRequestWithBody): Promise<Form> {
  return readForm(request).catch((error: unknown) => {
    if (error instanceof OAuthError) throw new ProblemError('bad_request', error.message)
    throw error
  })
}
