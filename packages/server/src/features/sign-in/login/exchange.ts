import type { OAuthReason } from 'keystile/internal'
import { isSecretOf } from '../../../base/secret.ts'
import type { Client } from '../../tokens/clients/clients.ts'
import type { FoundCode } from './codes.ts'
import { start, type FinishedLogin, type FinishParts } from './finish.ts'
import { areCurrent, mustHaveFactor } from './policy.ts'

/** An authorization code, and the client that presents it. */
export interface PresentedCode {
  readonly code: string
  /** The `code_verifier` (RFC 7636 §4.1). */
  readonly verifier: string
  readonly client: Client
  readonly device: string | undefined
  readonly address?: string | undefined
  readonly acceptLanguage?: string | undefined
}

export type Exchange =
  | FinishedLogin
  /** The caller must not learn the reason. `code` is what was found. */
  | { readonly outcome: 'refused'; readonly reason: OAuthReason; readonly code?: FoundCode }

/**
 * Exchanges an authorization code for the session of its login. Checks, in this order: the code,
 * the client, the verifier, whether the code was used before, and the account. A refusal changes
 * nothing, with one exception: if a code was used before, the session that it gave ends (RFC 6749
 * §4.1.2). That needs the client and the verifier, so a stolen code alone ends no session.
 */
export async function exchange<U>(
  presented: PresentedCode,
  parts: FinishParts<U>,
): Promise<Exchange> {
  const { verifier, client, address } = presented
  const code = await parts.codes.find(presented.code)
  if (!code) return { outcome: 'refused', reason: 'unknown_code' }
  if (code.clientId !== client.id) return { outcome: 'refused', reason: 'wrong_client', code }
  // S256 (RFC 7636 §4.6) is the hash of a secret.
  if (!isSecretOf(verifier, code.codeChallenge))
    return { outcome: 'refused', reason: 'wrong_verifier', code }

  const reused = await endIfReused(code, address, parts)
  if (reused) return reused
  const started = await startOf(code, presented, parts)
  if (started) return started

  // Another request may have used the code since this one found it.
  const usedMeanwhile = await endIfReused(await parts.codes.find(presented.code), address, parts)
  return usedMeanwhile ?? { outcome: 'refused', reason: 'unknown_user', code }
}

/** Starts the session of a code. Returns undefined if the account has changed since the login. */
async function startOf<U>(
  code: FoundCode,
  { client, device, address, acceptLanguage }: PresentedCode,
  parts: FinishParts<U>,
): Promise<FinishedLogin | undefined> {
  const { subject, scopes, proofs, amr, provesApp, isRecovery = false } = code
  const user = await parts.directory.findActive(subject)
  if (user === undefined || !areCurrent(proofs, user, parts)) return undefined
  // The user may have got a role since that demands a second factor.
  if (!amr.includes('mfa') && mustHaveFactor(user, parts)) return undefined

  const asked = { client, scopes, device, address, acceptLanguage }
  const login = { asked, proofs, counted: { deviceId: code.deviceId }, authSession: undefined }
  const granted = {
    subject,
    amr,
    provesApp,
    isRecovery,
    sparesFactor: false,
    authenticatedAt: code.authenticatedAt,
    user,
    codeId: code.id,
  }
  return start(login, granted, parts)
}

/** If a code was used before, ends its session and returns the refusal. Otherwise undefined. */
async function endIfReused<U>(
  code: FoundCode | undefined,
  address: string | undefined,
  { codes, logger }: FinishParts<U>,
): Promise<Exchange | undefined> {
  if (code?.sessionId === undefined) return undefined

  const { subject, sessionId, clientId } = code
  logger.warn({ subject, sessionId, clientId }, 'authorization code reused: its session was ended')
  await codes.endReused(sessionId, { actor: 'nobody', address })
  return { outcome: 'refused', reason: 'used_code' }
}
