// The pages of a Keystile, as its OpenAPI document lists them. So a test of all pages also covers
// a new page.
import { formTokenName } from '../src/features/pages/account-pages/field-names.ts'
import type { TestKeystile } from './keystile.ts'

export interface Pages {
  /** The paths that a browser can open, below the issuer. */
  readonly opened: readonly string[]
  /** Where forms are sent, and their fields. */
  readonly forms: readonly PageForm[]
}

interface PageForm {
  readonly path: string
  /** Their names, without the token that a browser fills in. */
  readonly fields: readonly string[]
}

interface Operation {
  readonly summary: string
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> }
}
interface Content {
  readonly schema: { readonly properties: object }
}

/**
 * These pages need a token or a code of a mail, and no cookie. Their addresses hold the token, so
 * they send no `Referer`, and a browser sends their forms with `Origin: null`.
 */
const isOfMail = (path: string): boolean =>
  /^\/account\/(forgot|reset|verify-|finish|confirm-|undo|accept|report)/.test(path)

/** Lists the pages that know a browser by its cookies: of the login, and of the account. */
export function listPages({ document, keystile }: TestKeystile): Pages {
  const base = new URL(keystile.issuer).pathname.replace(/\/$/, '')
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>
  const pages = Object.entries(paths)
    .map(([path, operations]) => ({ path: path.slice(base.length), operations }))
    .filter(({ path }) => !isOfMail(path))
  const ofMethod = (method: string): readonly (Operation & { readonly path: string })[] =>
    pages.flatMap(({ path, operations: { [method]: operation } }) =>
      operation?.summary.startsWith('Page: ') ? [{ ...operation, path }] : [],
    )
  return {
    opened: ofMethod('get').map(({ path }) => path),
    forms: ofMethod('post').map(({ path, requestBody }) => {
      const content = requestBody?.content['application/x-www-form-urlencoded']
      const fields = Object.keys(content?.schema.properties ?? {})
      return { path, fields: fields.filter((name) => name !== formTokenName) }
    }),
  }
}
