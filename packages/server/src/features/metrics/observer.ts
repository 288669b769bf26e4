import type { TokenError } from 'keystile/internal'
import { DatabaseUnavailableError } from '../../storage/database.ts'

/** How a login or a refresh ended. */
export const outcomes = [
  'granted',
  /** The password or the token was not right, or whoever it belongs to may not come in. */
  'refused',
  /** The request was no proper one, whoever sent it. */
  'invalid',
  /** Too many tries. */
  'limited',
  /** The database was away, or too many passwords were waiting to be hashed. */
  'unavailable',
  /** A bug. */
  'failed',
] as const
export type Outcome = (typeof outcomes)[number]

/** Why a guard let a request not in. */
export const guardReasons = [
  'not_authenticated',
  'invalid_request',
  'expired',
  'revoked',
  'invalid_token',
  'insufficient_scope',
  'insufficient_user_authentication',
  'temporarily_unavailable',
] as const
export type GuardReason = (typeof guardReasons)[number]

/** Told what happens, as it happens, in words of closed sets: nothing that anybody sent. */
export interface Observer {
  onGrant(grant: 'login' | 'refresh', outcome: Outcome): void
  onGuardRefusal(reason: GuardReason): void
  /** A password was hashed or verified; its wait in the queue is part of the time. */
  onHash(seconds: number): void
}

export const nobody: Observer = { onGrant() {}, onGuardRefusal() {}, onHash() {} }

/** Does what gives tokens, and tells how it ended. */
export async function observeGrant<T>(
  observer: Observer,
  grant: Parameters<Observer['onGrant']>[0],
  work: Promise<T>,
): Promise<T> {
  try {
    const granted = await work
    observer.onGrant(grant, 'granted')
    return granted
  } catch (error) {
    observer.onGrant(grant, outcomeOf(error))
    throw error
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof DatabaseUnavailableError) return 'unavailable'
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown }
  if (code === 'invalid_grant') return 'refused'
  if (status === 503) return 'unavailable'
  if (status === 429) return 'limited'
  return typeof status === 'number' && status < 500 ? 'invalid' : 'failed'
}

/** The label of a refusal: its code, with expired and revoked tokens apart from invalid ones. */
export function guardReasonOf({ code, reason }: TokenError): GuardReason {
  return reason === 'expired' || reason === 'revoked' ? reason : code
}
