import type { Meter } from '../../../feature/metric.ts'
import { jsonAnswer } from '../../../http/answers.ts'
import { describeFields, strictFields, stringField } from '../../../http/fields.ts'
import { readFields } from '../../../http/json-body.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { senderOf } from '../../operations/audit/by.ts'
import { firstParty } from '../../tokens/clients/clients.ts'
import { countGrant } from '../../tokens/oauth/count-grant.ts'
import { requireValues } from '../../tokens/oauth/grants/grant.ts'
import { passwordGrant } from '../../tokens/oauth/grants/password.ts'
import {
  logIn,
  loginParameters,
  type LoginEndpointParts,
} from '../../tokens/oauth/login-endpoint.ts'
import { tokenSchema, wireTokens } from '../../tokens/oauth/token-answer.ts'

const fields = strictFields(
  Object.fromEntries(Object.keys(loginParameters).map((name) => [name, stringField().optional()])),
)

/** `POST /probe-login` logs in with JSON: an example of a front. */
export function probeLoginRoute(parts: LoginEndpointParts & { readonly meter: Meter }): OpenRoute {
  return {
    method: 'POST',
    path: '/probe-login',
    below: 'issuer',
    refusals: 'oauth',
    doc: {
      tag: 'Tokens',
      summary: 'Log in with JSON',
      body: { type: 'json', schema: describeFields(fields) },
      success: { status: 200, description: 'Tokens', schema: tokenSchema },
      refuses: {
        403: 'The login needs another step: send auth_session with one of methods',
        429: 'Too many tries',
      },
    },
    async handle(request) {
      const values = await readFields(fields, request)
      requireValues(values, passwordGrant)
      const device = request.headers.get('user-agent') ?? undefined
      const caller = { ...firstParty, device, ...senderOf(request) }
      const issuing = logIn({ front: 'probe-login' }, values, caller, parts)
      return jsonAnswer(200, wireTokens(await countGrant(parts.meter, 'login', issuing)))
    },
  }
}
