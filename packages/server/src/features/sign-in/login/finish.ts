import { hashSecret, makeSecret } from '../../../base/secret.ts'
import { passwordMark } from '../../credentials/password/stored-hash.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import type { SessionStarter, StartedSession } from '../../tokens/sessions/sessions.ts'
import { grantScopes } from '../../users/scopes/scopes.ts'
import type { AskedLogin, CountedLogin, LoginAttempt, Proof } from './attempt.ts'
import type { Codes } from './codes.ts'
import type { MethodParts } from './methods/method.ts'

export interface FinishParts<U> extends MethodParts<U> {
  readonly starter: SessionStarter
  readonly codes: Codes
  readonly feed: Pick<EventFeed, 'tail'>
}

export interface FinishedLogin extends StartedSession {
  readonly outcome: 'granted'
  /**
   * A secret that the device sends with its next login. Undefined if rate limits are off, and after
   * a step-up without a password on an unknown device.
   */
  readonly deviceSecret: string | undefined
  /** See `Granted.recoveryCodes`. */
  readonly recoveryCodes?: readonly string[]
}

/** A login that ended with an authorization code. `login.exchange()` starts its session. */
export interface IssuedCode {
  readonly outcome: 'code'
  readonly code: string
  /** See `Granted.recoveryCodes`. */
  readonly recoveryCodes?: readonly string[]
}

interface GrantedLogin<U> {
  readonly subject: string
  readonly amr: readonly string[]
  readonly provesApp: boolean
  readonly isRecovery: boolean
  readonly sparesFactor: boolean
  readonly authenticatedAt: number
  /** Undefined if a first step was proved. */
  readonly expiresAt?: number
  /** Whether the factor was set up in the session that the login replaces. */
  readonly isOwnFactor?: true
  /** As read after the last proof. */
  readonly user: U
}

/**
 * Ends a login: one transaction locks the account, compares each proof with it, refunds the limits,
 * and starts the session or stores the authorization code. Returns undefined if the account has
 * changed since the proofs.
 */
export async function finish<U>(
  attempt: LoginAttempt,
  granted: GrantedLogin<U>,
  parts: FinishParts<U>,
): Promise<FinishedLogin | IssuedCode | undefined> {
  const { codeChallenge } = attempt.asked
  if (codeChallenge === undefined) return start(attempt, granted, parts)

  const marks = marksOf(attempt.proofs)
  const code = await parts.codes.issue({ ...attempt, ...granted, codeChallenge, marks })
  return code === undefined ? undefined : { outcome: 'code', code }
}

function marksOf(proofs: readonly Proof[]): Readonly<Record<string, string>> {
  return Object.fromEntries(proofs.map(({ method, mark }) => [method, mark]))
}

interface LoginToStart extends Pick<LoginAttempt, 'proofs' | 'authSession' | 'replaced'> {
  readonly asked: Omit<AskedLogin, 'front' | 'deviceSecret' | 'authSession'>
  readonly counted: (Partial<CountedLogin> & Pick<CountedLogin, 'deviceId'>) | undefined
}

/** Ends a login with a session. With `codeId`, uses this authorization code for it. */
export async function start<U>(
  { asked, proofs, counted, authSession, replaced }: LoginToStart,
  granted: GrantedLogin<U> & { readonly codeId?: string },
  parts: FinishParts<U>,
): Promise<FinishedLogin | undefined> {
  const { starter, feed, directory, remembered, notices } = parts
  const { subject, amr, provesApp, isRecovery, sparesFactor, authenticatedAt } = granted
  const { expiresAt, isOwnFactor, user, codeId } = granted
  const { client, address, acceptLanguage, browserId } = asked
  const remembers = asked.remembersDevice && amr.includes('mfa') && remembered.milliseconds > 0
  // Only the pages remember devices.
  const rememberedSecret = browserId === undefined ? undefined : makeSecret()
  const marks = marksOf(proofs)
  // For a step-up too: with a stolen token and the password, a thief would otherwise get a lasting
  // session without a notice.
  const kind = isRecovery ? 'recovery_code_used' : 'new_device'
  const isTold = isRecovery || counted?.deviceId === undefined
  const notice = isTold ? notices(kind, { address, acceptLanguage }) : undefined
  const held = directory.scopes(user).filter((scope) => replaced?.scopes.includes(scope) ?? true)

  const started = await starter.start(
    {
      subject,
      authenticatedAt,
      amr,
      provesApp,
      isRecovery,
      marks,
      attemptId: authSession === undefined ? undefined : hashSecret(authSession),
      codeId,
      remembering:
        rememberedSecret === undefined
          ? undefined
          : {
              formerId: counted?.rememberedId,
              id: hashSecret(rememberedSecret),
              sparesFactor,
              milliseconds: remembers ? remembered.milliseconds : undefined,
            },
      replaces: replaced && {
        id: replaced.id,
        expiresAt,
        needsOlderFactor: expiresAt !== undefined && !isOwnFactor,
      },
      rights: directory.rights(user),
      ...(counted?.spent && { spent: counted.spent }),
      notice,
      noticeTo: notice && {
        email: directory.email(user),
        isVerified: directory.emailVerified(user),
      },
      clientId: client.id,
      scopes: grantScopes(asked.scopes, held, client.scopes),
      refreshes: client.grants.includes('refresh_token'),
      browserId,
      device: asked.device,
      by: { actor: `user:${subject}`, address },
    },
    counted?.patienceMilliseconds,
  )
  if (!started) return undefined
  // Then this process refuses the tokens of the replaced session.
  if (replaced) await feed.tail()

  const deviceSecret = makeDeviceSecret(
    started,
    { granted, counted, provedMark: marks['password'], rememberedSecret },
    parts,
  )
  return { outcome: 'granted', ...started, deviceSecret }
}

/**
 * Makes the device secret of a new session. Returns undefined after a step-up without a password on
 * an unknown device, and if no device needs to be known (`knowsDevices` of server/wire/parts.ts).
 *
 * @param login.provedMark the mark of the password; undefined if this login has not proved it
 */
function makeDeviceSecret<U>(
  { sessionId, appSince }: StartedSession,
  {
    granted: { subject, provesApp, user },
    counted,
    provedMark,
    rememberedSecret,
  }: Pick<LoginToStart, 'counted'> & {
    readonly granted: GrantedLogin<U>
    readonly provedMark: string | undefined
    readonly rememberedSecret: string | undefined
  },
  { devices, directory }: FinishParts<U>,
): string | undefined {
  const mark = provedMark ?? knownDeviceMark(user, { counted, directory })
  if (mark === undefined) return undefined
  return devices.make({
    subject,
    passwordMark: mark,
    sessionId,
    // Only a proof renews a limit. Otherwise a thief with the app could guess the password, and a
    // thief with the password the code.
    id: provedMark === undefined ? counted?.deviceId : undefined,
    appId: provesApp ? undefined : counted?.appId,
    appSince,
    secret: rememberedSecret,
  })
}

/**
 * The mark of the password in a step-up without it, on a known device. The new session needs a new
 * device secret: a password that the user sets in this session keeps only that device known.
 */
function knownDeviceMark<U>(
  user: U,
  { counted, directory }: Pick<LoginToStart, 'counted'> & Pick<MethodParts<U>, 'directory'>,
): string | undefined {
  const hash = counted?.deviceId === undefined ? undefined : directory.passwordHash(user)
  return hash && passwordMark(hash)
}
