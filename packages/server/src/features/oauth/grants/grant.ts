import { OAuthError, type JsonObject } from 'keystile/internal'
import type { Client, ClientGrant } from '../../clients/clients.ts'
import type { IssuedTokens } from '../../sessions/issuing.ts'

/** Who asks for tokens: the client, and what is known of the request. */
export interface GrantCaller extends Client {
  /** The `User-Agent`. */
  readonly device: string | undefined
  readonly address: string | undefined
}

/** What a grant gives. */
export interface Granted extends IssuedTokens {
  /** For the next login from the same device. */
  readonly deviceSecret?: string | undefined
}

/** One `grant_type` of the token endpoint: its parameters, and what it does with their values. */
export interface Grant<Name extends string, Parts> extends ClientGrant {
  /** Its own parameters, each as JSON Schema. */
  readonly parameters: Readonly<Record<string, JsonObject>>
  /** The parameters without which it refuses. */
  readonly required: readonly string[]
  /**
   * Issues tokens for these values, of which none is empty. Does NOT authenticate the client, nor
   * check whether it may use this grant.
   *
   * @throws {OAuthError} `invalid_request` when a required value is missing
   */
  issue(values: ParameterValues<Name>, caller: GrantCaller, parts: Parts): Promise<Granted>
}

type ParameterValues<Name extends string> = Readonly<Partial<Record<Name, string | undefined>>>

/** Makes the record of a grant whose `issue` gets the required values for certain. */
export function defineGrant<Name extends string, Required extends Name, Parts>(definition: {
  readonly grantType: string
  readonly kind: ClientGrant['kind']
  readonly parameters: Readonly<Record<Name, JsonObject>>
  readonly required: readonly Required[]
  issue(
    values: ParameterValues<Name> & Readonly<Record<Required, string>>,
    caller: GrantCaller,
    parts: Parts,
  ): Granted | Promise<Granted>
}): Grant<Name, Parts> {
  const { required } = definition
  const isComplete = (
    values: ParameterValues<Name>,
  ): values is ParameterValues<Name> & Record<Required, string> =>
    required.every((name) => values[name] !== undefined)
  return {
    ...definition,
    async issue(values, caller, parts) {
      if (!isComplete(values))
        throw new OAuthError('invalid_request', `The form must have ${required.join(' and ')}`)
      return definition.issue(values, caller, parts)
    },
  }
}

/** What the documentation says of `scope`, for every grant that takes it. */
export const scopeParameter: JsonObject = {
  type: 'string',
  description: 'Scopes with a space between them; without any, all that may be had',
}
