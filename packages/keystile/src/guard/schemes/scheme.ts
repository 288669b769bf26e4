import type { HttpRequest } from '../../http/message.ts'
import type { Identity } from '../identity.ts'
import type { Demand } from '../demand.ts'
import type { Verifier } from '../verifier.ts'

/**
 * One way to present a credential. It skips a request, refuses it, or says who the call is from.
 */
export interface CredentialScheme {
  /**
   * Finds the credential in a request, or `undefined` when there is none of this scheme. Every
   * guarded request comes here, so this checks and copies as little as it can.
   */
  find(request: HttpRequest): string | undefined
  /**
   * Returns the identity of a credential that was proved before and still holds, without waiting;
   * `undefined` says nothing.
   */
  recall(credential: string, verifier: Verifier): Identity | undefined
  /**
   * Checks the form of a credential, and proves whose it is.
   *
   * @throws {TokenError} `malformed_credential`, and at once; or whatever the verifier refuses
   */
  prove(credential: string, verifier: Verifier, demand: Demand): Promise<Identity>
}
