import { findCredential, OAuthError, type HttpRequestWithBody } from 'keystile/internal'
import { isSecretOf } from '../../../base/secret.ts'
import { addressOf } from '../../../http/address.ts'
import { decodeFormComponent, type Form } from '../../../http/form.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import { byStranger } from '../../operations/audit/by.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { usesAt, type Use } from '../../operations/limits/uses.ts'
import { firstParty, type Client, type Clients, type ProvenClient } from './clients.ts'
import { clientRefusalRate, type ClientEvent } from './feature.ts'

interface AuthenticationParts {
  readonly clients: Pick<Clients, 'find'>
  readonly audit: Audit<ClientEvent>
  readonly limits: Pick<Limits, 'count'>
}

/**
 * Returns the client that sent a request, with the hash of the secret that it has proved. Both come
 * from the same database read, so a caller can compare the hash later, to notice that the secret
 * was replaced.
 *
 * A confidential client authenticates with its secret, in the `Authorization` header or in the
 * body. A public client has no secret, but may send an empty secret. If the request names no
 * client, returns the public client `first-party`. The empty credentials `Basic Og==`, which
 * Swagger UI sends, name no client. Ignores an `Authorization` header whose scheme is not `Basic`.
 *
 * Writes an audit entry before each refusal, until the rate limit on refusals is exhausted. Only
 * refusals count towards this limit. Does NOT check which grants or endpoints the client may use.
 *
 * @throws {OAuthError} `invalid_client` for an unknown client, a disabled client, a wrong secret,
 *   and a secret that a public client sends. The message is the same in all these cases, so that it
 *   does not reveal which client ids exist
 * @throws {OAuthError} `invalid_request` if a request authenticates both in the header and in the
 *   body
 * @throws {ProblemError} `too_many_requests`
 * @see RFC 6749 §2.3.1 §3.2.1 §5.2
 */
export async function proveClient(
  request: HttpRequestWithBody,
  form: Form,
  { clients, audit, limits }: AuthenticationParts,
): Promise<ProvenClient> {
  const refuse = async (message: string, clientId?: string): Promise<never> => {
    await limits.count(refusalsAt(addressOf(request)))
    await audit.record({ event: 'client_refused', by: byStranger(request), clientId })
    throw new OAuthError('invalid_client', message)
  }

  const shown = readCredentials(request, form)
  if (shown === 'malformed')
    return refuse(
      'The Authorization header must be Basic and base64 of the client id, a colon ' +
        'and the secret',
    )

  const { id, secret } = shown
  const isFirstParty = id === '' || id === firstParty.id
  const found = isFirstParty
    ? { client: firstParty, secretHash: undefined }
    : await clients.find(id)
  if (!found || !isProved(found, secret))
    return refuse('Unknown client, or wrong client secret', found?.client.id)

  return found
}

/** Does the same as `proveClient`, for callers that need only the client. */
export async function authenticateClient(
  request: HttpRequestWithBody,
  form: Form,
  parts: AuthenticationParts,
): Promise<Client> {
  return (await proveClient(request, form, parts)).client
}

/** A client id and a secret, each empty if the request does not have it. */
interface Credentials {
  readonly id: string
  readonly secret: string
}

/**
 * Reads the credentials from the `Authorization` header, or else from the body.
 *
 * @throws {OAuthError} `invalid_request` if the request authenticates in both
 */
function readCredentials(request: HttpRequestWithBody, form: Form): Credentials | 'malformed' {
  const basic = parseBasic(request.headers.get('authorization'))
  const inBody = { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' }
  if (basic === undefined) return inBody
  if (basic === 'malformed') return 'malformed'

  // The body may repeat the id of the header, but it must not have another id or a secret.
  if (inBody.secret !== '' || (inBody.id !== '' && inBody.id !== basic.id)) {
    throw new OAuthError(
      'invalid_request',
      'The client must authenticate in one way: in the Authorization header, or in the body',
    )
  }
  return basic
}

/**
 * Whether the client's secret is right. A public client must not send a secret. If this function
 * accepted such a secret, the client would believe that it had authenticated with it.
 */
function isProved({ secretHash }: Pick<ProvenClient, 'secretHash'>, secret: string): boolean {
  return secretHash === undefined ? secret === '' : isSecretOf(secret, secretHash)
}

/**
 * Returns the uses to count when a client at this IP address is refused. Unlike other rate limits,
 * this limit counts even the address of a proxy. The worst result is that refused clients behind
 * the proxy get 429.
 */
export function refusalsAt(address = ''): readonly Use[] {
  return usesAt(clientRefusalRate, address)
}

/**
 * Parses `Basic` credentials. The first colon separates the id from the secret (RFC 7617 §2). The
 * id and the secret are form-encoded (RFC 6749 §2.3.1).
 *
 * @returns `malformed` if the value after `Basic` is wrong, `undefined` if the scheme is not
 *   `Basic`
 */
function parseBasic(field: string | null | undefined): Credentials | 'malformed' | undefined {
  const value = findCredential(field, 'Basic')
  if (value === undefined) return undefined

  const bytes = Buffer.from(value, 'base64')
  // Node decodes any string as base64. This check accepts only the two strings that Node itself
  // would write, in base64 and in base64url, so that a credential has no other spellings.
  const isBase64 = value === bytes.toString('base64') || value === bytes.toString('base64url')

  const credentials = bytes.toString()
  const colon = credentials.indexOf(':')
  if (!isBase64 || colon < 0) return 'malformed'

  const id = decodeFormComponent(credentials.slice(0, colon))
  const secret = decodeFormComponent(credentials.slice(colon + 1))
  return id === undefined || secret === undefined ? 'malformed' : { id, secret }
}
