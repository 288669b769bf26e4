// A login, from its first step to the session. Each answer of the issuer becomes a `LoginResult`
// whose methods send the next step.
import type { Answer, Fields } from './ask-issuer.ts'
import { ClientError, isCode, withNext } from './client-error.ts'
import type { Endpoints } from './endpoints.ts'
import type { Credentials, LoginDemand, LoginResult, NextStep } from './next-step.ts'
import type { Renew } from './session-renewal.ts'
import type { SessionStore } from './session-store.ts'
import { continues, knownSession, sessionOf, type KnownSession } from './stored-session.ts'
import type { ClientClock } from './token-age.ts'
import { subOf } from './token-claims.ts'

interface LoginsOptions {
  readonly store: SessionStore
  readonly endpoints: Endpoints
  readonly clock: ClientClock
  readonly current: () => Promise<KnownSession | undefined>
  readonly renew: Renew
  readonly deviceSecret: () => Promise<string | undefined>
}

export interface Logins {
  login(credentials: Credentials): Promise<LoginResult>
  stepUp(demand: LoginDemand): Promise<LoginResult>
}

/** How the issuer knows to which login a step belongs. */
interface Begun {
  /** The `auth_session`; at the beginning of a step-up the demand; empty for a first step. */
  readonly fields: Fields
  /** The session that a step-up replaces. */
  readonly replaces?: KnownSession
}

/** How many earlier sessions a stored session names. Other tabs need the latest ones. */
const maxReplaced = 10

export function createLogins(options: LoginsOptions): Logins {
  const { store, endpoints, clock, current, renew, deviceSecret } = options

  async function stepUp({ acr, maxAgeSeconds }: LoginDemand): Promise<LoginResult> {
    const session = await current()
    if (!session) throw new ClientError('not_signed_in', 'No user is signed in')
    // Without a demand, any proof is enough.
    const values = acr ?? (maxAgeSeconds === undefined ? ['pwd'] : undefined)
    const fields = {
      ...(values && { acr_values: values.join(' ') }),
      ...(maxAgeSeconds !== undefined && { max_age: String(maxAgeSeconds) }),
    }
    try {
      return await proceed({ fields, replaces: session }, {})
    } catch (error) {
      // The session may have ended. Then the refresh signs the user out.
      if (isCode(error, 'invalid_session')) await renew(session)
      throw error
    }
  }

  /**
   * Sends a step of a login, and stores the session if it was the last one.
   *
   * @param step the step that sends the fields. After a wrong proof, the person can repeat it
   */
  async function proceed(begun: Begun, fields: Fields, step?: NextStep): Promise<LoginResult> {
    // Refreshes the access token if needed: an expired one does not name the session. If the issuer
    // does not answer, the step gets no answer either.
    if (begun.replaces) await current().catch(() => {})

    return store.exclusive(async () => {
      const replaced = begun.replaces && (await findReplaced(begun.replaces))
      const askedAt = clock.now()
      const { answer, refusal } = await endpoints.login(
        { ...begun.fields, ...fields },
        { deviceSecret: await deviceSecret(), accessToken: replaced?.accessToken },
      )
      if (refusal) return goOn(refusal, answer, { begun, step })

      const { recoveryCodes, ...tokens } = endpoints.tokensOf(answer)
      const session = sessionOf(tokens, askedAt)
      if (replaced) await replace(replaced, session)
      else await store.writeLogin(session)
      // The device secret stays after a logout, so that the issuer recognizes the device at the
      // next login.
      if (tokens.deviceSecret !== undefined) await store.writeDeviceSecret(tokens.deviceSecret)
      return { signedIn: true, ...(recoveryCodes && { recoveryCodes }) }
    })
  }

  /** @throws {ClientError} if no step can follow */
  function goOn(
    refusal: ClientError,
    answer: Answer,
    { begun, step }: { readonly begun: Begun; readonly step: NextStep | undefined },
  ): LoginResult {
    const { auth_session: id, error } = answer
    const stored = typeof id === 'string' ? { ...begun, fields: { auth_session: id } } : begun
    // Without these fields, the issuer would not know to which login the next step belongs.
    const canGoOn = Object.keys(stored.fields).length > 0
    const next = canGoOn
      ? nextStepOf(answer, (fields, sender) => proceed(stored, fields, sender))
      : undefined
    if (next && error === 'insufficient_authorization' && refusal.status === 403)
      return { signedIn: false, next }

    const isOver = refusal.code === 'invalid_session'
    throw withNext(refusal, isOver ? undefined : (next ?? step))
  }

  /**
   * Returns the session that a step-up replaces, as it is stored now.
   *
   * @throws {ClientError} `invalid_session` if the user has logged out, or another login has
   *   replaced the session
   */
  async function findReplaced(session: KnownSession): Promise<KnownSession> {
    const now = knownSession(await store.read())
    if (now && continues(now, session)) return now
    throw new ClientError('invalid_session', 'The session has ended: log in from the start')
  }

  /** @throws {ClientError} `invalid_session` if the user has logged out meanwhile */
  async function replace(old: KnownSession, session: KnownSession): Promise<void> {
    await findReplaced(old).catch(async (error: unknown) => {
      await endpoints.logout(session)
      throw error
    })
    // The cookie may have been the one of a different user, who has logged in on another page.
    if (subOf(session.accessToken) !== subOf(old.accessToken)) return store.write(session)
    const replaced = [...(old.replaced ?? []), old.id].slice(-maxReplaced)
    await store.writeLogin({ ...session, replaced })
  }

  return {
    login: (credentials) => proceed({ fields: {} }, wireCredentials(credentials)),
    stepUp,
  }
}

type Proceed = (fields: Fields, step: NextStep) => Promise<LoginResult>

/**
 * Reads what the person can do next; undefined if the answer names nothing. Each step passes itself
 * to `proceed`, so that the person can repeat it.
 */
function nextStepOf(answer: Answer, proceed: Proceed): NextStep | undefined {
  const { secret, uri, qr_svg: qrSvg, email_code: emailCode } = answer
  if (typeof secret === 'string' && typeof uri === 'string' && typeof qrSvg === 'string') {
    const step: NextStep = {
      step: 'confirmApp',
      secret,
      uri,
      qrSvg,
      confirmApp: ({ otp }) => proceed({ otp }, step),
    }
    return step
  }

  const factors = namesIn(answer['enrol'])
  if (factors.length > 0) {
    const step: NextStep = {
      step: 'setUpFactor',
      factors,
      needsEmailCode: emailCode === true,
      setUpApp: ({ emailCode: code } = {}) =>
        proceed({ enrol: 'totp', ...(code !== undefined && { email_code: code }) }, step),
    }
    return step
  }

  const methods = namesIn(answer['methods'])
  if (methods.includes('password')) {
    const step: NextStep = {
      step: 'provePassword',
      provePassword: (credentials) => proceed(wireCredentials(credentials), step),
    }
    return step
  }
  if (methods.length > 0) {
    const step: NextStep = {
      step: 'proveFactor',
      methods,
      proveFactor: (proof) => proceed(wireFactor(proof), step),
    }
    return step
  }
  return undefined
}

function namesIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : []
}

/** Renames the members of a login to the names that the endpoints expect. */
function wireCredentials({ username, password, scopes, ...factor }: Credentials): Fields {
  return {
    username,
    password,
    ...wireFactor(factor),
    ...(scopes && { scope: scopes.join(' ') }),
  }
}

function wireFactor({ otp, recoveryCode }: Pick<Credentials, 'otp' | 'recoveryCode'>): Fields {
  return {
    ...(otp !== undefined && { otp }),
    ...(recoveryCode !== undefined && { recovery_code: recoveryCode }),
  }
}
