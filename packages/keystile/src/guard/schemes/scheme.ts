import type { HttpRequest } from '../../http/message.ts'
import type { Demand } from '../demand.ts'
import type { Identity, TokenType } from '../identity.ts'
import type { Verifier } from '../verifier.ts'

/**
 * One way to send a credential, such as a bearer token. A scheme skips a request, refuses it, or
 * returns the identity of the caller.
 */
export interface CredentialScheme {
  /**
   * Returns the credential of a request; `undefined` if the request has no credential of this
   * scheme. `find` runs for every guarded request, so it checks and copies as little as possible.
   */
  find(request: HttpRequest): string | undefined
  /**
   * Returns the identity of a credential without waiting, if it was verified before and is still
   * valid. `undefined` does not mean that the credential is wrong: call `prove`.
   */
  recall(credential: string, verifier: Verifier<TokenType>): Identity<string, TokenType> | undefined
  /**
   * Checks the form of a credential, verifies it, and resolves to its identity.
   *
   * @throws {TokenError} with the reason `malformed_credential` if the form is wrong. This error is
   *   thrown synchronously. If the verifier refuses the credential, the promise rejects
   */
  prove(
    credential: string,
    verifier: Verifier<TokenType>,
    demand: Demand,
  ): Promise<Identity<string, TokenType>>
}
