import { logIn, loginParameters, type LoginEndpointParts } from '../login-endpoint.ts'
import { defineGrant, scopeParameter, type Grant } from './grant.ts'

/** Logs a person in, as the password grant does: an example of a grant that logs in. */
export const probeLoginGrant: Grant<string, LoginEndpointParts> = defineGrant({
  grantType: 'urn:example:probe-login',
  kind: 'login',
  parameters: { ...loginParameters, scope: scopeParameter },
  required: ['username', 'password'],
  orRequired: [['auth_session']],
  issue: (
    values: Readonly<Record<string, string | undefined>>,
    client,
    parts: LoginEndpointParts,
  ) => logIn({ front: 'token' }, values, client, parts),
})
