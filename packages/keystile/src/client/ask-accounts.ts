// Requests to the endpoints of accounts. They take JSON, and refuse with a problem (RFC 9457).
import { exchange, type Answer, type Fetch } from './ask-issuer.ts'
import { accountCodeOf, ClientError } from './client-error.ts'

export interface AccountRequest {
  readonly url: string
  readonly body: object
  /**
   * Maps names in the body to different names in the `fields` of an error. For example,
   * `{ new_password: 'password' }` reports a wrong `new_password` as `password`.
   */
  readonly names?: Readonly<Record<string, string>>
}

/**
 * Sends a request, and returns the status and the body of a successful answer. The caller must
 * check both: a different server may have answered 200, such as the login page of a hotel's
 * network.
 *
 * @throws {ClientError} with the code from `accountCodeOf` if the issuer refuses the request;
 *   `temporarily_unavailable` if the issuer is unreachable, fails or is busy, or if a different
 *   server answers
 */
export async function askAccounts(
  fetch: Fetch,
  { url, body, names = {} }: AccountRequest,
): Promise<{ readonly status: number; readonly answer: Answer }> {
  const { status, ok, answer, retry } = await exchange(fetch, url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // These endpoints need no cookie.
    credentials: 'omit',
  })
  if (ok) return { status, answer }

  const { detail, errors } = answer
  const isProblem = answer['status'] === status && typeof detail === 'string'
  // If the endpoint does not exist, the app that contains the issuer may answer with a 404 of its
  // own.
  const code = isProblem || status === 404 ? accountCodeOf(status) : undefined
  const message = isProblem ? detail : `${url} answers ${status}`
  const fields = isProblem ? fieldsOf(errors, names) : {}
  throw new ClientError(code ?? 'temporarily_unavailable', message, { ...retry, fields })
}

/**
 * Returns the first message about each wrong value, under the name of the value. The name of a
 * nested value is its path, such as `address.city`.
 */
function fieldsOf(
  errors: unknown,
  names: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {}
  for (const error of Array.isArray(errors) ? errors : []) {
    const { loc, msg } = (error ?? {}) as { readonly loc?: unknown; readonly msg?: unknown }
    if (!Array.isArray(loc) || typeof msg !== 'string') continue
    const name = loc.slice(1).join('.') // the first part is `body`
    if (name !== '') fields[names[name] ?? name] ??= msg
  }
  return fields
}
