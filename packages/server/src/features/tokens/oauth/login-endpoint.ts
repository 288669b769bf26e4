// The login of each endpoint where people log in: `POST /token`, `POST /session` and
// `POST /authorize-challenge`. They share these parameters, and the refusals of
// `login-refusals.ts`; what is proved and decided is in features/sign-in/login. Such an endpoint
// passes its own name as `front`, because an attempt goes on only where it began.

import type { JsonObject } from 'keystile/internal'
import type { AskedLogin, NamedSession } from '../../sign-in/login/attempt.ts'
import { enrolmentParameters } from '../../sign-in/login/enrolment.ts'
import type { IssuedCode } from '../../sign-in/login/finish.ts'
import type { Login } from '../../sign-in/login/login.ts'
import { methodParameters } from '../../sign-in/login/methods.ts'
import { readRequestedScopes, type ScopeRules } from '../../users/scopes/scopes.ts'
import { demandParameters, readDemand } from './demand-parameters.ts'
import { requireValues, scopeParameter, type Granted, type GrantCaller } from './grants/grant.ts'
import { refusalOf, type EndedLogin } from './login-refusals.ts'

/** For endpoints in rooms that do not import the login itself. */
export type { NamedSession }

export interface LoginEndpointParts {
  readonly login: Login
  readonly scopes: ScopeRules
}

/** The parameters of a login, at each endpoint where people log in. */
export const loginParameters: Readonly<Record<string, JsonObject>> = {
  ...methodParameters,
  ...enrolmentParameters,
  auth_session: {
    type: 'string',
    format: 'password',
    description: 'The `auth_session` of the previous answer of this login',
  },
  ...demandParameters,
}

/** The parameters of a login with a form. */
export const loginFormParameters: Readonly<Record<string, JsonObject>> = {
  ...loginParameters,
  scope: scopeParameter,
  device_secret: {
    type: 'string',
    format: 'password',
    description: 'The `device_secret` that this device got at its last login',
  },
}

/** What the first step of a login must have. */
export const firstStep = ['username', 'password'] as const
/** What a later step of a login must have. */
export const laterStep = ['auth_session'] as const

export type LoginValues = Readonly<Record<string, string | undefined>>

/** @throws {OAuthError} `invalid_request` if neither a first nor a later step is complete */
export function requireStep(values: LoginValues): void {
  requireValues(values, { required: firstStep, orRequired: [laterStep] })
}

/** Whether an attempt goes on, which is bound to what its first step named and demanded. */
export const isLaterStep = ({ auth_session: authSession }: LoginValues): boolean =>
  authSession !== undefined

export const hasDemand = ({ max_age: age, acr_values: values }: LoginValues): boolean =>
  age !== undefined || values !== undefined

/**
 * Logs a person in, and starts the session. Checks, in this order: the scope, what the caller
 * demands, and what the person presents.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`,
 *   `insufficient_authorization`, `invalid_session`, `unmet_authentication_requirements`
 * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
 */
export async function logIn(
  begun: Pick<AskedLogin, 'front' | 'replaces'>,
  values: LoginValues,
  client: GrantCaller,
  parts: LoginEndpointParts,
): Promise<Granted> {
  const done = await proceed(begun, values, client, parts)
  if (done.outcome === 'code')
    throw new Error('a login without a code challenge must start a session')
  return done
}

/** Logs a person in, like `logIn`, and returns an authorization code instead of tokens. */
export async function logInForCode(
  front: AskedLogin['front'],
  values: LoginValues,
  client: GrantCaller,
  codeChallenge: AskedLogin['codeChallenge'],
  parts: LoginEndpointParts,
): Promise<IssuedCode> {
  const done = await proceed({ front, codeChallenge }, values, client, parts)
  if (done.outcome !== 'code') throw new Error('a login with a code challenge must issue a code')
  return done
}

/** Goes on with a login until it ends, or throws the refusal that asks for the next step. */
async function proceed(
  begun: Pick<AskedLogin, 'front' | 'codeChallenge' | 'replaces'>,
  values: LoginValues,
  client: GrantCaller,
  { login, scopes: rules }: LoginEndpointParts,
): Promise<EndedLogin> {
  const { scope, device_secret: deviceSecret, auth_session: authSession, ...presented } = values
  const { device, address, acceptLanguage } = client
  const scopes = readRequestedScopes(scope, rules)
  const demand = readDemand(values)
  const sender = { client, device, address, acceptLanguage, deviceSecret }
  const asked = { ...begun, ...sender, scopes, authSession, demand }
  const done = await login.proceed(asked, presented)
  if (done.outcome === 'granted' || done.outcome === 'code') return done
  throw refusalOf(done)
}
