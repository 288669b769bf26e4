// What a document promises for an operation. This file reads only the document: it does not know
// the guards or the app.

export interface Operation {
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly 'x-max-age-seconds'?: number
  readonly 'x-acr-values'?: readonly string[]
  readonly responses: Readonly<Record<string, DocumentedAnswer>>
}

interface DocumentedAnswer {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, unknown>>
}

export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' | 'bad' }
  | {
      readonly kind: 'token'
      readonly scopes: readonly string[]
      readonly loginAgeSeconds: number
      readonly acr: string
    }

/**
 * Returns the statuses that the document allows. If a request has two faults, the document does not
 * say which of them decides the status, so both statuses are allowed.
 */
export function predict(operation: Operation, credential: Credential): readonly number[] {
  const { security, 'x-max-age-seconds': maxAge, 'x-acr-values': acrValues } = operation
  if (!security) return [200]
  const [names] = security.map((one) => Object.keys(one)).filter((names) => names.length > 0)
  const scheme = names![0]!
  if (credential.kind === 'none')
    return [security.some((one) => Object.keys(one).length === 0) ? 200 : 401]
  if (credential.kind !== 'token') return [credential.kind === 'malformed' ? 400 : 401]
  const isOld = maxAge !== undefined && credential.loginAgeSeconds > maxAge
  const isWeak = acrValues !== undefined && !acrValues.includes(credential.acr)
  const has = security.some((one) =>
    one[scheme]?.every((scope) => credential.scopes.includes(scope)),
  )
  if (isOld || isWeak) return has ? [401] : [401, 403]
  return [has ? 200 : 403]
}

/**
 * Compares a real answer with the document. Returns what the document lacks, or undefined when it
 * lacks nothing.
 */
export function findUndocumented(
  operation: Operation,
  status: number,
  headers: Headers,
): string | undefined {
  const documented =
    operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`]
  if (!documented) return `the status ${status} is not documented`
  const type = headers.get('content-type')?.split(';')[0]
  if (documented.content && !(type && type in documented.content))
    return `${type} is not documented for ${status}`
  const named = Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase())
  if (named.includes('www-authenticate') !== headers.has('www-authenticate'))
    return headers.has('www-authenticate')
      ? `WWW-Authenticate is not documented for ${status}`
      : `WWW-Authenticate is missing for ${status}`
  return undefined
}
