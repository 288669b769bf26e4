import { OAuthError, type JsonObject } from 'keystile/internal'
import type { AskedLogin } from '../../../sign-in/login/attempt.ts'
import type { Login, LoginOutcome } from '../../../sign-in/login/login.ts'
import { methodParameters } from '../../../sign-in/login/methods.ts'
import { readRequestedScopes, type ScopeRules } from '../../../users/scopes/scopes.ts'
import { defineGrant, scopeParameter, type Grant, type Granted, type GrantCaller } from './grant.ts'

export interface PasswordGrantParts {
  readonly login: Login
  readonly scopes: ScopeRules
}

/** The parameters of a login, at each endpoint where people log in. */
export const loginParameters: Readonly<Record<string, JsonObject>> = {
  ...methodParameters,
  auth_session: {
    type: 'string',
    format: 'password',
    description: 'The auth_session of the answer to the step before',
  },
}

/** The parameters of a login with a form. */
export const loginFormParameters: Readonly<Record<string, JsonObject>> = {
  ...loginParameters,
  scope: scopeParameter,
  device_secret: {
    type: 'string',
    format: 'password',
    description: 'The device_secret that this device got at its last login',
  },
}

/**
 * Logs a person in and issues tokens. It checks, in this order: the parameters, the scope, and what
 * the person presents (`features/sign-in/login`). The login then starts the session. If the account
 * needs a second factor, the form may have it beside the password, or a second form sends it with
 * `auth_session`.
 *
 * Every refusal before the right password is the same, so an attacker cannot learn whether an
 * account exists.
 *
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_grant`,
 *   `insufficient_authorization`, `invalid_session`
 * @throws {ProblemError} `too_many_requests`, `temporarily_unavailable`
 * @see RFC 6749 §4.3.2
 */
export const passwordGrant: Grant<string, PasswordGrantParts> = defineGrant({
  grantType: 'password',
  kind: 'login',
  parameters: loginFormParameters,
  required: ['username', 'password'],
  orRequired: ['auth_session'],
  issue: (values: LoginValues, client, parts: PasswordGrantParts) =>
    logIn('token', values, client, parts),
})

type LoginValues = Readonly<Record<string, string | undefined>>

/** Logs a person in: see `passwordGrant`. */
export async function logIn(
  front: AskedLogin['front'],
  values: LoginValues,
  client: GrantCaller,
  parts: PasswordGrantParts,
): Promise<Granted> {
  const done = await proceed({ front, client, values }, parts)
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
  parts: PasswordGrantParts,
): Promise<string> {
  const done = await proceed({ front, client, values, codeChallenge }, parts)
  if (done.outcome !== 'code') throw new Error('a login with a code challenge must issue a code')
  return done.code
}

async function proceed(
  {
    front,
    client,
    values,
    codeChallenge,
  }: Pick<AskedLogin, 'front' | 'codeChallenge'> & {
    readonly client: GrantCaller
    readonly values: LoginValues
  },
  { login, scopes: rules }: PasswordGrantParts,
): Promise<Extract<LoginOutcome, { outcome: 'granted' | 'code' }>> {
  const { scope, device_secret: deviceSecret, auth_session: session, ...presented } = values
  const { device, address, acceptLanguage } = client
  const scopes = readRequestedScopes(scope, rules)
  const sender = { client, device, address, acceptLanguage, deviceSecret }
  const done = await login.proceed({ front, scopes, session, codeChallenge, ...sender }, presented)
  if (done.outcome === 'granted' || done.outcome === 'code') return done
  throw refusalOf(done)
}

function refusalOf(done: Exclude<LoginOutcome, { outcome: 'granted' | 'code' }>): OAuthError {
  if (done.outcome === 'over')
    return new OAuthError('invalid_session', 'This login is over: log in from the start')
  if (done.outcome === 'next') {
    const members = { auth_session: done.session, methods: done.methods }
    const names = done.methods.join(' or ')
    const message = `The login needs another step: send auth_session with ${names}`
    return new OAuthError('insufficient_authorization', message, { members })
  }
  const { reason, session } = done
  return session === undefined
    ? new OAuthError('invalid_grant', 'Incorrect username or password')
    : new OAuthError('invalid_grant', factorMessages[reason] ?? 'Incorrect code', {
        members: { auth_session: session },
      })
}

const factorMessages: Readonly<Record<string, string>> = {
  malformed_code: 'The otp must be six digits',
  wrong_code: 'Incorrect code',
  wrong_recovery_code: 'Incorrect recovery code',
}
