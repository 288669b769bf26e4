import { OAuthError, type JsonObject } from 'keystile/internal'
import type { Meter } from '../../feature/metric.ts'
import { readForm, type Form } from '../../http/form.ts'
import { jsonAnswer, type OpenRoute } from '../../http/route.ts'
import type { ClientEvent } from '../clients/feature.ts'
import { authenticateClient } from '../clients/client-authentication.ts'
import type { Clients } from '../clients/clients.ts'
import { addressOf, type Audit } from '../audit/audit.ts'
import type { Limits } from '../limits/limits.ts'
import type { OAuthEvent } from './audit-events.ts'
import { countGrant } from './count-grant.ts'
import type { AnyGrant, GrantParts } from './grants.ts'
import type { Granted } from './grants/grant.ts'

export const tokenSchema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string', const: 'bearer' },
    expires_in: { type: 'integer', description: 'Seconds' },
    refresh_token: {
      type: 'string',
      description: 'Gets the next tokens, once; none for a client that may not',
    },
    scope: { type: 'string', description: 'What was granted' },
    device_secret: {
      type: 'string',
      description: 'To be kept beyond the session and sent with the next login',
    },
  },
  required: ['access_token', 'token_type', 'expires_in', 'scope'] as const,
}

/** A form without `grant_type` is a login. */
const defaultGrantType = 'password'

/** What the token endpoint needs. */
export interface TokenParts extends GrantParts {
  readonly grants: readonly AnyGrant[]
  readonly clients: Pick<Clients, 'find'>
  readonly audit: Audit<ClientEvent | OAuthEvent>
  readonly limits: Limits
  readonly meter: Meter
}

/**
 * `POST /token` (RFC 6749 §3.2). In this order: the form, the client, the grant, whether the client
 * may use it. The grant gets the values of its parameters, never the form.
 */
export function tokenRoute(parts: TokenParts): OpenRoute {
  const { grants, meter } = parts
  return {
    method: 'POST',
    path: '/token',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Log in, or refresh',
      description:
        'RFC 6749. A form without grant_type is a login with username and password. A refresh token is used up by its refresh. Clients that act for themselves send client_credentials.',
      body: { type: 'form', schema: describeForm(grants) },
      success: { status: 200, description: 'Tokens', schema: tokenSchema },
      refuses: { 429: 'Too many tries' },
    },
    async handle(request) {
      const form = await readForm(request)
      const client = await authenticateClient(request, form, parts)
      const grant = findGrant(form.get('grant_type') ?? defaultGrantType, grants)
      if (!client.grants.includes(grant.grantType))
        throw new OAuthError(
          'unauthorized_client',
          `This client may not use the grant_type ${grant.grantType}`,
        )
      const device = request.headers.get('user-agent') ?? undefined
      const caller = { ...client, device, address: addressOf(request) }
      const issuing = grant.issue(valuesOf(form, grant), caller, parts)
      const issued = grant.kind === 'client' ? issuing : countGrant(meter, grant.kind, issuing)
      return jsonAnswer(200, wireTokens(await issued))
    },
  }
}

function findGrant(grantType: string, grants: readonly AnyGrant[]): AnyGrant {
  const grant = grants.find((known) => known.grantType === grantType)
  if (grant) return grant
  const expected = grants.map((known) => known.grantType).join(' or ')
  throw new OAuthError('unsupported_grant_type', `The grant_type must be ${expected}`)
}

function valuesOf(
  form: Form,
  { parameters }: AnyGrant,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, form.get(name)]))
}

/** The form as JSON Schema: the parameters of all grants, and what each of them requires. */
function describeForm(grants: readonly AnyGrant[]): JsonObject {
  const grantTypes = grants.map(({ grantType }) => grantType)
  return {
    type: 'object',
    properties: {
      grant_type: { type: 'string', enum: grantTypes, default: defaultGrantType },
      ...Object.assign({}, ...grants.map(({ parameters }) => parameters)),
      client_id: { type: 'string' },
      client_secret: { type: 'string', format: 'password' },
    },
    anyOf: grants.map(({ grantType, required }) => ({
      // Where a grant requires no parameter, its name alone tells it from the others.
      ...(required.length === 0 && { properties: { grant_type: { const: grantType } } }),
      required: [...(grantType === defaultGrantType ? [] : ['grant_type']), ...required],
    })),
  }
}

/** The tokens of an answer (RFC 6749 §5.1). No member is null. */
export interface WireTokens {
  readonly access_token: string
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly scope: string
  readonly device_secret?: string
}

export function wireTokens({
  accessToken,
  expiresInSeconds,
  refreshToken,
  scopes,
  deviceSecret,
}: Granted): WireTokens {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    scope: scopes.join(' '),
    ...(deviceSecret !== undefined && { device_secret: deviceSecret }),
  }
}
