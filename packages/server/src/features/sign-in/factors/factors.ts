import { ProblemError } from 'keystile/internal'
import type { Database } from '../../../storage/database.ts'
import {
  hashRecoveryCode,
  makeRecoveryCodes,
} from '../../credentials/second-factors/recovery-codes.ts'
import type {
  DescribedFactors,
  SecondFactors,
} from '../../credentials/second-factors/second-factors.ts'
import { showSecret, type ShownSecret } from '../../credentials/second-factors/shown-secret.ts'
import { makeTotpSecret, stepOf } from '../../credentials/second-factors/totp.ts'
import type { FactorUndo } from '../../mail/factor-undo/undo.ts'
import type { By } from '../../operations/audit/entry.ts'
import type { Limits } from '../../operations/limits/limits.ts'
import { useOf } from '../../operations/limits/uses.ts'
import type { EventFeed } from '../../tokens/events/events.ts'
import { labelOf } from '../../users/directory/directory.ts'
import type { FactorChange } from './change-in-transaction.ts'
import { changeOf, requireChanged, type ChangeParts } from './factor-change.ts'
import { enrolmentRate } from './feature.ts'
import { unverifiedAddress } from './set-up.ts'
import { beginApp, confirmApp, removeFactors, renewRecoveryCodes, resetFactors } from './store.ts'

/** Changes what users have set up as second factors. Endpoints and commands use it. */
export interface Factors<U> {
  show(subject: string): Promise<DescribedFactors>
  /** Whether a user has set up a second factor. */
  hasAny(subject: string): Promise<boolean>
  /**
   * Makes a secret for an app. It counts only after its first code in the same session.
   *
   * @throws {ProblemError} `too_many_requests`
   */
  begin(user: U, by: By): Promise<ShownSecret>
  /**
   * Confirms the app with its first code. It replaces an earlier one, and all other sessions end.
   *
   * @returns the new recovery codes
   * @throws {ProblemError} `forbidden` for a wrong code, or a first factor without a verified
   *   address; `conflict` without a pending app; `too_many_requests`
   */
  confirm(user: U, code: string, by: By): Promise<readonly string[]>
  /**
   * @throws {ProblemError} `conflict` if the user must have a factor; `not_found` without an app;
   *   `too_many_requests`
   */
  remove(user: U, by: By): Promise<void>
  /** @throws {ProblemError} `not_found` if the user has no app; `too_many_requests` */
  renewCodes(user: U, by: By): Promise<readonly string[]>
  /** Removes all factors of a user, for an operator or the app. Returns whether there was one. */
  reset(subject: string, by: By): Promise<boolean>
}

export interface FactorParts<U> extends ChangeParts<U> {
  readonly database: Pick<Database, 'write'>
  readonly secondFactors: SecondFactors
  /** See `mustHaveFactor()` of features/sign-in/login/policy.ts. */
  readonly mustHaveFactor: (user: U) => boolean
  readonly feed: Pick<EventFeed, 'tail'>
  /** Undefined if no mails are sent, and for an app's own users. */
  readonly undo: Pick<FactorUndo, 'prepare'> | undefined
  readonly limits: Limits
  /** How an authenticator app names the service. */
  readonly service: string
}

export function createFactors<U>(parts: FactorParts<U>): Factors<U> {
  const { database, directory, secondFactors, service, limits, feed, clock } = parts

  return {
    show: secondFactors.describe,
    hasAny: secondFactors.hasAny,
    async begin(user, by) {
      const [subject, secret] = [directory.subject(user), makeTotpSecret()]
      const sessionId = sessionOf(by, subject)
      await limits.count([useOf(enrolmentRate, sessionId)])
      await database.write(beginApp, {
        subject,
        sessionId,
        sealed: secondFactors.seal(subject, secret),
        hasAccount: parts.hasAccounts,
        by,
        now: clock.now(),
      })
      return showSecret(secret, { service, account: labelOf(user, directory) })
    },
    async confirm(user, code, by) {
      const subject = directory.subject(user)
      const sessionId = sessionOf(by, subject)
      const spent = await limits.count([useOf(enrolmentRate, sessionId)])
      const pending = await secondFactors.findPending(subject, sessionId)
      if (!pending) throw nothingPending()

      const step = stepOf(pending.secret, code.replaceAll(/\s/g, ''), clock.now())
      if (step === undefined)
        throw new ProblemError('forbidden', 'The code is wrong; check the time of the phone')

      const codes = makeRecoveryCodes()
      const change = changeOf({ user, kind: 'factor_added', by }, parts)
      const done = await database.write(confirmApp, {
        ...change,
        sealed: pending.sealed,
        step,
        codeIds: codes.map(hashRecoveryCode),
        replacement: parts.notices('factor_added', { ...by, isReplacement: true }),
        undo: parts.undo?.prepare(by, change.noticeTo.email),
      })
      if (done.outcome === 'unverified') throw unverifiedAddress()
      requireChanged(done, nothingPending)
      await limits.refund(spent)
      await feed.tail()
      return codes
    },
    async remove(user, by) {
      if (parts.mustHaveFactor(user))
        throw new ProblemError(
          'conflict',
          'This account must have a second factor; to replace the app, set up another one',
        )
      const change = changeOf({ user, kind: 'factor_removed', by }, parts)
      requireChanged(await database.write(removeFactors, change), noFactor)
      await feed.tail()
    },
    async renewCodes(user, by) {
      await limits.count([useOf(enrolmentRate, directory.subject(user))])
      const codes = makeRecoveryCodes()
      const change = changeOf({ user, kind: 'recovery_codes_made', by }, parts)
      const codeIds = codes.map(hashRecoveryCode)
      requireChanged(await database.write(renewRecoveryCodes, { ...change, codeIds }), noFactor)
      return codes
    },
    async reset(subject, by) {
      const user = await directory.findActive(subject)
      const change =
        user === undefined
          ? silentChange({ subject, by, now: clock.now() })
          : changeOf({ user, kind: 'factor_removed', by }, parts)
      const { hadFactor } = await database.write(resetFactors, change)
      await feed.tail()
      return hadFactor
    },
  }
}

/**
 * The session that sets up an app. Each has its own pending app and its own limit, so a stolen
 * session can neither confirm the owner's secret nor use up the owner's tries.
 */
function sessionOf({ sessionId }: By, subject: string): string {
  return sessionId ?? subject
}

/** Returns the change for a user who is not active, who gets no mail and may have no account. */
function silentChange(change: Pick<FactorChange, 'subject' | 'by' | 'now'>): FactorChange {
  const noticeTo = { email: undefined, isVerified: false }
  return { ...change, hasAccount: false, notice: undefined, noticeTo }
}

function nothingPending(): ProblemError {
  return new ProblemError('conflict', 'No authenticator app waits for its first code; begin again')
}

function noFactor(): ProblemError {
  return new ProblemError('not_found', 'This user has no authenticator app')
}
