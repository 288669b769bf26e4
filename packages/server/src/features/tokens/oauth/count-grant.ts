// Counts logins and refreshes by their outcome, for the metrics of `metrics.ts`.

import type { ProblemError } from 'keystile/internal'
import type { CounterMetric, Meter } from '../../../feature/metric.ts'
import { DatabaseUnavailableError } from '../../../storage/database.ts'
import type { LoginOutcome } from '../../sign-in/login/login.ts'
import { logins, refreshes, type Outcome } from './metrics.ts'

/** What is counted: a login that gives tokens, a login that gives a code, or a refresh. */
type Kind = 'login' | 'code' | 'refresh'

const counters: Readonly<Record<Kind, CounterMetric<{ readonly outcome: Outcome }>>> = {
  login: logins,
  code: logins,
  refresh: refreshes,
}

/**
 * Waits until a grant issues tokens or fails, and counts the outcome. Returns the tokens, or throws
 * the error of the grant.
 */
export async function countGrant<T>(meter: Meter, kind: Kind, issuing: Promise<T>): Promise<T> {
  try {
    const issued = await issuing
    // A login that gives a code is counted when the code is exchanged.
    if (kind !== 'code') meter.add(counters[kind], { outcome: 'granted' })
    return issued
  } catch (error) {
    meter.add(counters[kind], { outcome: outcomeOf(error) })
    throw error
  }
}

/** Counts a login at the login pages, which call the login without a grant. */
export function countPageLogin(meter: Meter, done: LoginOutcome | ProblemError): void {
  const outcome = 'outcome' in done ? pageOutcomes[done.outcome] : outcomeOf(done)
  meter.add(logins, { outcome })
}

const pageOutcomes: Readonly<Record<LoginOutcome['outcome'], Outcome>> = {
  granted: 'granted',
  code: 'granted', // does not happen: the pages ask for no code
  next: 'factor_required',
  enrol: 'factor_required',
  refused: 'refused',
  unmet: 'invalid',
  over: 'invalid',
}

/**
 * Maps the error of a grant to an outcome. It reads the properties `code` and `status`, because the
 * errors of grants have no common class.
 */
function outcomeOf(error: unknown): Outcome {
  if (error instanceof DatabaseUnavailableError) return 'unavailable'
  const { code, status = 500 } = error as { readonly code?: unknown; readonly status?: number }
  if (code === 'invalid_grant') return 'refused'
  if (code === 'insufficient_authorization') return 'factor_required'
  if (status === 503) return 'unavailable'
  if (status === 429) return 'limited'
  return status < 500 ? 'invalid' : 'failed'
}
