import { hashSecret } from '../../../base/secret.ts'
import type { SessionStarter, StartedSession } from '../../tokens/sessions/sessions.ts'
import { grantScopes } from '../../users/scopes/scopes.ts'
import type { LoginAttempt } from './attempt.ts'
import type { MethodParts } from './methods/method.ts'

export interface FinishParts<U> extends MethodParts<U> {
  readonly starter: SessionStarter
}

export interface FinishedLogin extends StartedSession {
  readonly outcome: 'granted'
  /**
   * A secret that the device sends with its next login; undefined if rate limits are off.
   */
  readonly deviceSecret: string | undefined
}

interface GrantedLogin<U> {
  readonly subject: string
  readonly amr: readonly string[]
  readonly authenticatedAt: number
  /** As read after the last proof. */
  readonly user: U
}

/**
 * Ends a login: one transaction locks the account, compares each proof with it, refunds the limits
 * and starts the session. Returns undefined if the account has changed since the proofs.
 */
export async function finish<U>(
  { asked, proofs, counted, session }: LoginAttempt,
  { subject, amr, authenticatedAt, user }: GrantedLogin<U>,
  { starter, directory, devices, notices, secondFactors }: FinishParts<U>,
): Promise<FinishedLogin | undefined> {
  const { client, address, acceptLanguage } = asked
  const marks = Object.fromEntries(proofs.map(({ method, mark }) => [method, mark]))
  const notice =
    counted?.deviceId === undefined ? notices('new_device', { address, acceptLanguage }) : undefined

  const started = await starter.start(
    {
      subject,
      authenticatedAt,
      amr,
      marks,
      attemptId: session === undefined ? undefined : hashSecret(session),
      rights: directory.rights(user),
      ...(counted && { spent: counted.spent }),
      notice,
      noticeTo: notice && {
        email: directory.email(user),
        isVerified: directory.emailVerified(user),
      },
      clientId: client.id,
      scopes: grantScopes(asked.scopes, directory.scopes(user), client.scopes),
      refreshes: client.grants.includes('refresh_token'),
      device: asked.device,
      by: { actor: `user:${subject}`, address },
    },
    counted?.patienceMilliseconds,
  )
  if (!started) return undefined

  const { sessionId } = started
  const passwordMark = marks['password']
  const { app } = amr.includes('mfa') ? await secondFactors.describe(subject) : {}
  const appSince = app?.createdAt.getTime()
  const deviceSecret =
    passwordMark === undefined
      ? undefined
      : devices.make({ subject, passwordMark, sessionId, appSince })
  return { outcome: 'granted', ...started, deviceSecret }
}
