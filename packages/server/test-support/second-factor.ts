import assert from 'node:assert/strict'
import { codeAt } from '../src/features/credentials/second-factors/totp.ts'
import { tokensOf, type Answer, type TestClock, type TestKeystile } from './keystile.ts'

/** A person with an authenticator app. */
export interface Enrolled {
  readonly subject: string
  readonly secret: string
  readonly recoveryCodes: readonly string[]
  /** An access token of the login before the app was set up. */
  readonly accessToken: string
  readonly refreshToken: string
  /** The code that the app shows. A code works once: each call moves the clock to the next one. */
  nextCode(): string
  /** Logs in with the password, and then with a code. */
  login(): Promise<Answer>
}

/** Registers a person, who sets up an authenticator app. */
export async function enrol(
  { send, login, tokens }: TestKeystile,
  clock: TestClock,
  username = 'ada',
  /** Runs before the first code is sent. */
  meanwhile: () => Promise<void> = async () => {},
): Promise<Enrolled> {
  const { accessToken, refreshToken, subject } = await tokens(username)
  const begun = await send('POST', '/users/me/factors/totp', { bearer: accessToken })
  assert.equal(begun.status, 200, begun.text)
  const secret = begun.json['secret'] as string
  const code = (): string => codeAt(secret, Math.floor(clock.now() / 30_000))
  const nextCode = (): string => {
    clock.advance(30)
    return code()
  }
  await meanwhile()
  const confirmed = await send('POST', '/users/me/factors/totp/confirm', {
    bearer: accessToken,
    json: { code: code() },
  })
  assert.equal(confirmed.status, 200, confirmed.text)
  return {
    subject,
    secret,
    recoveryCodes: confirmed.json['recovery_codes'] as readonly string[],
    accessToken,
    refreshToken,
    nextCode,
    async login() {
      const { json } = await login({ username })
      const fields = { grant_type: 'password', auth_session: json['auth_session'] as string }
      return send('POST', '/token', { form: { ...fields, otp: nextCode() } })
    },
  }
}

/** The tokens of a login that a factor has ended. */
export async function tokensWithFactor(person: Enrolled): Promise<ReturnType<typeof tokensOf>> {
  const { status, json, text } = await person.login()
  assert.equal(status, 200, text)
  return tokensOf(json)
}
