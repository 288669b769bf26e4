import { OAuthError, type JsonObject } from 'keystile/internal'
import type { Meter } from '../../../feature/metric.ts'
import { jsonAnswer } from '../../../http/answers.ts'
import { readForm, type Form } from '../../../http/form.ts'
import type { OpenRoute } from '../../../http/route.ts'
import type { Audit } from '../../operations/audit/audit.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { authenticateClient } from '../clients/client-authentication.ts'
import type { Clients } from '../clients/clients.ts'
import type { ClientEvent } from '../clients/feature.ts'
import type { OAuthEvent } from './audit-events.ts'
import { countGrant } from './count-grant.ts'
import type { AnyGrant, GrantParts } from './grants.ts'
import { callerOf } from './grants/grant.ts'
import { nextStepRefusal, tokenSchema, wireTokens } from './token-answer.ts'

/** A form without `grant_type` is a login with a password. */
const defaultGrantType = 'password'

export interface TokenParts extends GrantParts {
  readonly grants: readonly AnyGrant[]
  readonly clients: Pick<Clients, 'find'>
  readonly audit: Audit<ClientEvent | OAuthEvent>
  readonly limits: Limits
  readonly meter: Meter
}

/**
 * `POST /token` (RFC 6749 §3.2): issues tokens. It checks, in this order: the form, the client, the
 * grant, and whether the client may use the grant. The grant gets only the parameters that it
 * declares, so it cannot depend on a parameter that the documentation does not list.
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
        'RFC 6749. A form without grant_type is a login with username and password. ' +
        'With access_token and max_age or acr_values, the login replaces the session of the ' +
        'token, and a second factor alone may be enough (RFC 9470). ' +
        'A refresh token works once. ' +
        'Clients that act for themselves send client_credentials.',
      body: { type: 'form', schema: describeForm(grants) },
      success: { status: 200, description: 'Tokens', schema: tokenSchema },
      refuses: {
        403: nextStepRefusal,
        429: 'Too many tries',
      },
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

      const issuing = grant.issue(valuesOf(form, grant), callerOf(request, client), parts)
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

/**
 * Describes the form as JSON Schema: the parameters of all grants, and which of them each grant
 * requires.
 */
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
    anyOf: grants.flatMap(({ grantType, required, orRequired = [] }) =>
      [required, ...orRequired].map((names) => ({
        properties: { grant_type: { const: grantType } },
        required: [...(grantType === defaultGrantType ? [] : ['grant_type']), ...names],
      })),
    ),
  }
}
