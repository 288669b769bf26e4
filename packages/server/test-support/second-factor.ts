import assert from 'node:assert/strict'
import { createFactorSeal } from '../src/features/credentials/second-factors/reseal.ts'
import { codeAt, makeTotpSecret } from '../src/features/credentials/second-factors/totp.ts'
import {
  key,
  password,
  tokensOf,
  type Answer,
  type Stage,
  type TestClock,
  type TestKeystile,
} from './keystile.ts'
import type { WithMailbox } from './mailbox.ts'

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

export type Fields = Readonly<Record<string, string>>

/** Sends a first step of a login with these fields, or a later one with `auth_session`. */
export type WayIn = (running: TestKeystile, fields: Fields) => Promise<Answer>

export const passwordForm: WayIn = ({ send }, fields) =>
  send('POST', '/token', { form: { grant_type: 'password', ...fields } })

/** Returns the code that an app with this secret shows now. */
export function appCode(secret: string, clock: TestClock): string {
  return codeAt(secret, Math.floor(clock.now() / 30_000))
}

/** A login that has shown the secret of the app, and ends with its first code. */
export interface Enrolling {
  readonly authSession: string
  readonly secret: string
  readonly shown: Answer
  code(): string
  end(): Promise<Answer>
}

/** Logs in a person who must have a second factor, up to the secret of the app. */
export async function beginEnrolment(
  running: WithMailbox,
  send: WayIn = passwordForm,
  username = 'ada',
): Promise<Enrolling> {
  const first = await send(running, { username, password })
  assert.equal(first.status, 403, first.text)
  const authSession = first.json['auth_session'] as string
  const { code: email_code } = await running.mailTo(`${username}@example.com`)
  const shown = await send(running, { auth_session: authSession, enrol: 'totp', email_code })
  assert.equal(shown.status, 403, shown.text)
  const secret = shown.json['secret'] as string
  const code = (): string => appCode(secret, running.clock)
  return {
    authSession,
    secret,
    shown,
    code,
    end: () => send(running, { auth_session: authSession, otp: code() }),
  }
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
  const code = (): string => appCode(secret, clock)
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

/** Gives each of many users an authenticator app, without requests. Returns their secrets. */
export async function giveApps(
  { sql }: Pick<Stage, 'sql'>,
  subjects: readonly string[],
): Promise<readonly string[]> {
  const seal = createFactorSeal([key])
  const secrets = subjects.map(makeTotpSecret)
  const rows = subjects.map(
    (subject, n) => `('${subject}', 'confirmed', '${seal.seal(secrets[n]!, subject)}', -1, 0, 1)`,
  )
  await sql(
    'insert into authenticator_app (subject, state, sealed, last_step, wrong_codes, created_at) ' +
      `values ${rows.join()}`,
  )
  return secrets
}
