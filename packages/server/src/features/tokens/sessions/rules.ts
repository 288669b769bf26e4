// The safety rules for the lifetimes of sessions and tokens. All rules only warn, because a long
// lifetime can be a deliberate choice. Each limit comes from the standard that its rule names.

import type { Fault, Rule } from '../../../feature/rule.ts'
import { daySeconds } from '../../../feature/values.ts'
import type { Wording } from '../../../feature/wording.ts'
import { defaultLifetimes } from './lifetimes.ts'

const longestAccessTokenSeconds = 60 * 60
const longestSessionSeconds = 30 * daySeconds
const longestGraceSeconds = 30

export interface RuleOptions {
  readonly accessTokenSeconds?: number | undefined
  readonly sessionSeconds?: number | undefined
  readonly idleSeconds?: number | undefined
  readonly graceSeconds?: number | undefined
}

/** The safety rules for lifetimes, in the order in which docs/reference/doctor.md lists them. */
export const rules: readonly Rule<RuleOptions>[] = [
  {
    id: 'access-token-short',
    standard: 'RFC 6750 §5.3',
    severity: 'warn',
    demand: 'an access token must expire within an hour',
    find({ options }, say) {
      const { accessTokenSeconds = defaultLifetimes.accessTokenSeconds } = options
      if (accessTokenSeconds <= longestAccessTokenSeconds) return []
      const danger =
        'an attacker can use a stolen access token for that many seconds, and no API can notice it'
      const message = `is ${accessTokenSeconds}: ${danger}`
      return [tooLong('accessTokenSeconds', message, longestAccessTokenSeconds, say)]
    },
  },
  {
    id: 'session-short',
    standard: 'SP 800-63B-4 §2.1.3',
    severity: 'warn',
    demand: 'a session must expire within 30 days',
    find({ options }, say) {
      const { sessionSeconds = defaultLifetimes.sessionSeconds } = options
      if (sessionSeconds <= longestSessionSeconds) return []
      const danger =
        'NIST SP 800-63B-4 §2.1.3 requires people to log in again after at most 30 days'
      const message = `is ${sessionSeconds}: ${danger}`
      return [tooLong('sessionSeconds', message, longestSessionSeconds, say)]
    },
  },
  {
    id: 'idle-short',
    standard: 'ASVS 5.0 7.3.1',
    severity: 'warn',
    demand:
      'if a session can last more than 30 days, ' +
      'it must expire after at most 30 days without a refresh',
    find({ options }, say) {
      const {
        sessionSeconds = defaultLifetimes.sessionSeconds,
        idleSeconds = defaultLifetimes.idleSeconds,
      } = options
      if (Math.min(sessionSeconds, idleSeconds) <= longestSessionSeconds) return []
      const message = `is ${idleSeconds}: a forgotten session stays open for more than 30 days`
      return [tooLong('idleSeconds', message, defaultLifetimes.idleSeconds, say)]
    },
  },
  {
    id: 'grace-short',
    standard: 'RFC 9700 §4.14.2',
    severity: 'warn',
    demand:
      '`graceSeconds` must be 30 or less: for this time, a used refresh token still returns the ' +
      'same new refresh token',
    find({ options }, say) {
      const { graceSeconds = defaultLifetimes.graceSeconds } = options
      if (graceSeconds <= longestGraceSeconds) return []
      const danger =
        'for that many seconds, the use of a stolen refresh token looks like a retry by the owner'
      const message = `is ${graceSeconds}: ${danger}`
      return [tooLong('graceSeconds', message, longestGraceSeconds, say)]
    },
  },
]

/** @param proposed the lifetime in seconds that the fix proposes, or a shorter one */
function tooLong(
  setting: keyof RuleOptions,
  message: string,
  proposed: number,
  say: Wording,
): Fault {
  return { about: say.name(setting), message, fix: `${say.set(setting, proposed)} or less` }
}
