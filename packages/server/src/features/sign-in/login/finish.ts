// The end of a login, with a session or with an authorization code.
import { hashSecret, makeSecret } from '../../../base/secret.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import type { NewSession, Remembering } from '../../tokens/sessions/new-session.ts'
import type { SessionStarter, StartedSession } from '../../tokens/sessions/sessions.ts'
import { grantScopes } from '../../users/scopes/scopes.ts'
import { marksOf, type AskedLogin, type CountedLogin, type LoginAttempt } from './attempt.ts'
import type { Codes } from './codes.ts'
import { makeDeviceSecret } from './device-secret.ts'
import type { MethodParts } from './methods/method.ts'
import type { GrantedLogin } from './policy.ts'

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

/** A login that has proved enough, and the user as read after the last proof. */
interface LoginEnd<U> {
  readonly granted: GrantedLogin
  readonly user: U
}

/**
 * Ends a login: one transaction locks the account, compares each proof with it, refunds the limits,
 * and starts the session or stores the authorization code. Returns undefined if the account has
 * changed since the proofs.
 */
export async function finish<U>(
  attempt: LoginAttempt,
  end: LoginEnd<U>,
  parts: FinishParts<U>,
): Promise<FinishedLogin | IssuedCode | undefined> {
  const { codeChallenge } = attempt.asked
  if (codeChallenge === undefined) return start(attempt, end, parts)

  const { granted } = end
  const code = await parts.codes.issue({ attempt, granted, codeChallenge })
  return code === undefined ? undefined : { outcome: 'code', code }
}

/** What the start of a session reads of an attempt, or of a login that ended with a code. */
interface LoginToStart extends Pick<LoginAttempt, 'proofs' | 'authSession' | 'replaced'> {
  readonly asked: Omit<AskedLogin, 'front' | 'deviceSecret' | 'authSession'>
  readonly counted: (Partial<CountedLogin> & Pick<CountedLogin, 'deviceId'>) | undefined
}

interface SessionStart<U> extends LoginEnd<U> {
  /** The authorization code that the session uses. */
  readonly codeId?: string
  /** Whether the factor was set up in the session that the login replaces. */
  readonly isOwnFactor?: true
}

/** Ends a login with a session. */
export async function start<U>(
  login: LoginToStart,
  { granted, user, codeId, isOwnFactor }: SessionStart<U>,
  parts: FinishParts<U>,
): Promise<FinishedLogin | undefined> {
  const { subject, amr, provesApp, isRecovery, authenticatedAt, expiresAt } = granted
  const { asked, counted, authSession, replaced } = login
  const { client, address, browserId, device } = asked
  const marks = marksOf(login.proofs)
  // Only the pages remember devices.
  const rememberedSecret = browserId === undefined ? undefined : makeSecret()

  const session = await parts.starter.start(
    {
      subject,
      clientId: client.id,
      scopes: scopesOf(login, user, parts),
      refreshes: client.grants.includes('refresh_token'),
      browserId,
      device,
      by: { actor: `user:${subject}`, address },
      authenticatedAt,
      amr,
      provesApp,
      isRecovery,
      marks,
      rights: parts.directory.rights(user),
      attemptId: authSession === undefined ? undefined : hashSecret(authSession),
      codeId,
      remembering:
        rememberedSecret === undefined
          ? undefined
          : rememberingOf(rememberedSecret, login, granted, parts),
      replaces: replaced && {
        id: replaced.id,
        expiresAt,
        needsOlderFactor: expiresAt !== undefined && !isOwnFactor,
      },
      ...(counted?.spent && { spent: counted.spent }),
      ...noticeOf(login, granted, user, parts),
    },
    counted?.patienceMilliseconds,
  )
  if (!session) return undefined
  // Then this process refuses the tokens of the replaced session.
  if (replaced) await parts.feed.tail()

  const provedMark = marks['password']
  const started = { session, subject, user, provesApp, provedMark, counted, rememberedSecret }
  return { outcome: 'granted', ...session, deviceSecret: makeDeviceSecret(started, parts) }
}

/** Returns the scopes of the session. A step-up grants none that the replaced session lacks. */
function scopesOf<U>(
  { asked: { scopes, client }, replaced }: LoginToStart,
  user: U,
  { directory }: Pick<FinishParts<U>, 'directory'>,
): readonly string[] {
  const held = directory.scopes(user)
  const kept = replaced ? held.filter((scope) => replaced.scopes.includes(scope)) : held
  return grantScopes(scopes, kept, client.scopes)
}

/**
 * Says how a login at the pages deals with remembered devices. It remembers the device from now on
 * if the person wants that and has proved a second factor.
 */
function rememberingOf<U>(
  secret: string,
  { asked, counted }: LoginToStart,
  { amr, sparesFactor }: GrantedLogin,
  { remembered }: Pick<FinishParts<U>, 'remembered'>,
): Remembering {
  const remembers = asked.remembersDevice && amr.includes('mfa') && remembered.milliseconds > 0
  return {
    formerId: counted?.rememberedId,
    id: hashSecret(secret),
    sparesFactor,
    milliseconds: remembers ? remembered.milliseconds : undefined,
  }
}

/**
 * Makes the notice of a login from an unknown device, or with a recovery code. A step-up sends it
 * too: with a stolen token and the password, a thief would otherwise get a lasting session without
 * a notice.
 */
function noticeOf<U>(
  { asked: { address, acceptLanguage }, counted }: LoginToStart,
  { isRecovery }: Pick<GrantedLogin, 'isRecovery'>,
  user: U,
  { directory, notices }: Pick<FinishParts<U>, 'directory' | 'notices'>,
): Pick<NewSession, 'notice' | 'noticeTo'> {
  if (counted?.deviceId !== undefined && !isRecovery) return {}
  const kind = isRecovery ? 'recovery_code_used' : 'new_device'
  const notice = notices(kind, { address, acceptLanguage })
  if (!notice) return {}
  const noticeTo = { email: directory.email(user), isVerified: directory.emailVerified(user) }
  return { notice, noticeTo }
}
