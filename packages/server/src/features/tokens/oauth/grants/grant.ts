// What a grant is, gets and gives. To add a grant, write one file beside this file and list it in
// `grants.ts`.

import { OAuthError, type HttpRequestWithBody, type JsonObject } from 'keystile/internal'
import { senderOf } from '../../../operations/audit/by.ts'
import type { Client, ClientGrant } from '../../clients/clients.ts'
import type { IssuedTokens } from '../../sessions/issuing.ts'

/**
 * One `grant_type` of the token endpoint: its parameters, and how it turns their values into
 * tokens.
 *
 * @typeParam Name the names of its parameters
 * @typeParam Parts what it needs of the server
 */
export interface Grant<Name extends string, Parts> extends ClientGrant {
  /**
   * Maps the name of each parameter of this grant to its JSON Schema. The OpenAPI document shows
   * the schemas. The token endpoint passes only these parameters to the grant.
   */
  readonly parameters: Readonly<Record<string, JsonObject>>
  readonly required: readonly string[]
  /** What a form may have instead of `required`: one of these lists. */
  readonly orRequired?: readonly (readonly string[])[]
  /**
   * Issues tokens for the values of the parameters. A caller must pass undefined instead of an
   * empty string, because an empty parameter counts as missing (RFC 6749 §3.2). Does NOT
   * authenticate the client or check whether the client may use this grant.
   *
   * @throws {OAuthError} `invalid_request` when a required value is missing
   */
  issue(values: ParameterValues<Name>, caller: GrantCaller, parts: Parts): Promise<Granted>
}

type ParameterValues<Name extends string> = Readonly<Partial<Record<Name, string | undefined>>>

type CompleteValues<Name extends string, Required extends string> = ParameterValues<Name> &
  Readonly<Record<Required, string>>

/**
 * Creates a grant. The grant calls `definition.issue()` only if all required values are present.
 */
export function defineGrant<Name extends string, Required extends Name, Parts>(definition: {
  readonly grantType: string
  readonly kind: ClientGrant['kind']
  readonly parameters: Readonly<Record<Name, JsonObject>>
  readonly required: readonly Required[]
  readonly orRequired?: readonly (readonly Name[])[]
  issue(
    values: CompleteValues<Name, Required>,
    caller: GrantCaller,
    parts: Parts,
  ): Granted | Promise<Granted>
}): Grant<Name, Parts> {
  return {
    ...definition,
    async issue(values, caller, parts) {
      requireValues(values, definition)
      return definition.issue(values as CompleteValues<Name, Required>, caller, parts)
    },
  }
}

/** @throws {OAuthError} `invalid_request` if `required` and all of `orRequired` are incomplete */
export function requireValues(
  values: Readonly<Record<string, string | undefined>>,
  { required, orRequired = [] }: Pick<Grant<string, never>, 'required' | 'orRequired'>,
): void {
  const has = (names: readonly string[]): boolean =>
    names.every((name) => values[name] !== undefined)
  if (!has(required) && !orRequired.some(has))
    throw new OAuthError('invalid_request', `The form must have ${required.join(' and ')}`)
}

export const scopeParameter: JsonObject = {
  type: 'string',
  description: 'Scopes, separated by spaces. Default: all scopes that may be granted',
}

/** The authenticated client, and where its request comes from. */
export interface GrantCaller extends Client {
  /** The `User-Agent` header. */
  readonly device: string | undefined
  readonly address?: string | undefined
  readonly acceptLanguage?: string | undefined
}

export function callerOf(request: HttpRequestWithBody, client: Client): GrantCaller {
  const device = request.headers.get('user-agent') ?? undefined
  return { ...client, device, ...senderOf(request) }
}

export interface Granted extends IssuedTokens {
  /**
   * A secret that the device sends with its next login. The server then recognizes the device, so
   * password guesses from other devices cannot block the login.
   */
  readonly deviceSecret?: string | undefined
  /** The recovery codes that come with a second factor that was set up within the login. */
  readonly recoveryCodes?: readonly string[] | undefined
}
