import { findCredential } from '../../http/authorization.ts'
import type { CredentialScheme } from './scheme.ts'

/** `Authorization: Probe` and one token: an example of a credential scheme. */
export const probe: CredentialScheme = {
  find: (request) => findCredential(request.headers.get('authorization'), 'Probe'),
  recall: (token, verifier) => verifier.recall?.(token),
  prove: (token, verifier, demand) => verifier.verify(token, demand),
}
