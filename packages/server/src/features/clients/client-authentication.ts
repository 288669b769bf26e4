import { findCredential, OAuthError, type HttpRequestWithBody } from 'keystile/internal'
import { networkOf } from '../../base/network.ts'
import { isSecretOf } from '../../base/secret.ts'
import { decodeFormComponent, type Form } from '../../http/form.ts'
import { addressOf, byStranger, type Audit } from '../audit/audit.ts'
import { useOf, type Limits } from '../limits/limits.ts'
import type { Use } from '../limits/uses.ts'
import type { ClientEvent } from './feature.ts'
import { firstParty, type Client, type Clients } from './clients.ts'
import { clientRefusalRate } from './feature.ts'

/**
 * Returns the client that sent a request, or `first-party` if the request names none or has the
 * empty `Basic Og==` of Swagger UI. A confidential client proves itself with its secret, in the
 * header or in the body. A public client, such as `first-party`, has no secret and may send an
 * empty one. An `Authorization` header of another scheme is ignored.
 *
 * Every refusal is recorded before it is sent, until the rate limit on refusals is reached. Only
 * refusals count towards that limit. Does NOT check what the client may do.
 *
 * @throws {OAuthError} `invalid_client` for an unknown client, a disabled client, a wrong secret,
 *   and a secret for a client without one: the same text for all, so that client ids cannot be
 *   probed; `invalid_request` for two ways of authentication at once
 * @throws {ProblemError} `too_many_requests`
 * @see RFC 6749 §2.3.1 §3.2.1 §5.2
 */
export async function authenticateClient(
  request: HttpRequestWithBody,
  form: Form,
  {
    clients,
    audit,
    limits,
  }: {
    readonly clients: Pick<Clients, 'find'>
    readonly audit: Audit<ClientEvent>
    readonly limits: Pick<Limits, 'count'>
  },
): Promise<Client> {
  const refuse = async (message: string, clientId?: string): Promise<never> => {
    await limits.count([refusalAt(addressOf(request))])
    await audit.record({ event: 'client_refused', by: byStranger(request), clientId })
    throw new OAuthError('invalid_client', message)
  }

  const basic = parseBasic(request.headers.get('authorization'))
  if (basic === 'malformed')
    return refuse(
      'The Authorization header must be "Basic" and base64 of the client id, a colon ' +
        'and the secret',
    )

  const inBody = { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' }
  if (basic && (inBody.secret !== '' || (inBody.id !== '' && inBody.id !== basic.id))) {
    throw new OAuthError(
      'invalid_request',
      'The client must authenticate in one way: in the Authorization header, or in the body',
    )
  }

  const { id, secret } = basic ?? inBody

  const isFirstParty = id === '' || id === firstParty.id
  const found = isFirstParty
    ? { client: firstParty, secretHash: undefined }
    : await clients.find(id)

  if (!found || !isProved(found, secret)) {
    return refuse('Unknown client, or wrong client secret', found?.client.id)
  }

  return found.client
}

/**
 * Whether the secret is right. A public client must not send one: a client that does takes itself
 * for confidential, and would believe that it was authenticated.
 */
function isProved(
  { secretHash }: { readonly secretHash: string | undefined },
  secret: string,
): boolean {
  return secretHash === undefined ? secret === '' : isSecretOf(secret, secretHash)
}

/**
 * Returns a use of the rate limit on refused clients. Unlike other limits by address, it also
 * counts a proxy's address: the worst case is that refusals of its clients get 429.
 */
export function refusalAt(address = ''): Use {
  return useOf(clientRefusalRate, networkOf(address))
}

/**
 * Parses `Basic` credentials: split at the first colon (RFC 7617 §2), each half form-encoded (RFC
 * 6749 §2.3.1).
 *
 * @returns `malformed` for `Basic` with anything else, `undefined` without `Basic`
 */
function parseBasic(
  field: string | null | undefined,
): { readonly id: string; readonly secret: string } | 'malformed' | undefined {
  const value = findCredential(field, 'Basic')
  if (value === undefined) return undefined
  const text = Buffer.from(value, 'base64')
  // Node decodes any text as base64. Only the text that Node itself would write is accepted, with
  // or without padding, so that each credential has one spelling.
  const isBase64 = value === text.toString('base64') || value === text.toString('base64url')

  const [, id, secret] = /^([^:]*):(.*)$/s.exec(text.toString()) ?? []

  const decoded =
    isBase64 && id !== undefined && secret !== undefined
      ? [decodeFormComponent(id), decodeFormComponent(secret)]
      : []

  if (decoded[0] === undefined || decoded[1] === undefined) return 'malformed'
  return { id: decoded[0], secret: decoded[1] }
}
