import type { HttpRequestWithBody } from 'keystile/internal'
import { addressOf } from '../../../http/address.ts'
import type { By } from './entry.ts'

/** What an access token says about the sender of a request. */
export interface CallerIdentity {
  readonly subject: string
  readonly clientId: string
  readonly sessionId?: string | undefined
  readonly acr?: string | undefined
  /** When the person logged in. */
  readonly authenticatedAt?: Date | undefined
}

export const byOperator: By = { actor: 'operator' }
export const byApp: By = { actor: 'app' }

/**
 * Returns the actor `nobody` with the IP address of a request, for a sender who is not
 * authenticated.
 */
export function byStranger(request: HttpRequestWithBody): By {
  return { actor: 'nobody', ...senderOf(request) }
}

/**
 * Returns the actor for a request with an access token: the user of the token, with the IP address,
 * client and session.
 */
export function byCaller(
  request: HttpRequestWithBody,
  { subject, clientId, sessionId, acr }: CallerIdentity,
): By {
  const token = { clientId, sessionId, ...(acr !== undefined && { acr }) }
  return { actor: `user:${subject}`, ...senderOf(request), ...token }
}

/** Returns what a mail about a change tells or needs of the request that caused it. */
export function senderOf(request: HttpRequestWithBody): Pick<By, 'address' | 'acceptLanguage'> {
  const acceptLanguage = request.headers.get('accept-language')
  return { address: addressOf(request), ...(acceptLanguage !== null && { acceptLanguage }) }
}
