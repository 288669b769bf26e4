import type { Clock } from 'keystile/internal'
import type { Seal } from '../../../base/seal.ts'
import type { Database } from '../../../storage/database.ts'
import { findApp } from './app-in-transaction.ts'
import {
  hasSecondFactor,
  newestFactorAt,
  secondFactors,
  type FactorName,
} from './factors-in-transaction.ts'
import { pendingMilliseconds } from './pending-app-in-transaction.ts'
import { hashRecoveryCode } from './recovery-codes.ts'
import { describeRecoveryCodes, hasRecoveryCode, type OwnCodes } from './store.ts'
import { pendingIn, type AuthenticatorAppRow } from './tables.ts'

/** The confirmed authenticator app of a user. */
export interface AuthenticatorApp {
  readonly secret: string
  /** The secret as it is stored: a mark of this app. */
  readonly sealed: string
  readonly lastStep: number
  readonly createdAt: Date
  /** False after `maxWrongCodes`. */
  readonly takesUnknownDevices: boolean
}

/**
 * After this many wrong codes in a row, unknown devices cannot use codes of the app (NIST SP
 * 800-63B §5.2.2). A new password, a recovery code, a known device or an operator helps.
 */
export const maxWrongCodes = 100

export interface DescribedFactors {
  readonly app: Pick<AuthenticatorApp, 'createdAt' | 'takesUnknownDevices'> | undefined
  readonly recoveryCodes: OwnCodes
}

export type PendingApp = Pick<AuthenticatorApp, 'secret' | 'sealed'>

/** What users have set up as a second factor. */
export interface SecondFactors {
  /** Whether a user has set up this factor. Then, logins of this user need a second step. */
  isSetUp(name: FactorName, subject: string): Promise<boolean>
  /** Whether a user has set up any factor. */
  hasAny(subject: string): Promise<boolean>
  /** When a user has last set up or renewed a factor, in milliseconds; 0 without any. */
  newestAt(subject: string): Promise<number>
  /**
   * Returns the confirmed app of a user.
   *
   * @throws {Error} if its secret was encrypted with a key that this process does not have
   */
  findApp(subject: string): Promise<AuthenticatorApp | undefined>
  /** Returns what a user has set up, without a secret. */
  describe(subject: string): Promise<DescribedFactors>
  /** Returns the app that waits for its first code in this session. */
  findPending(subject: string, sessionId: string): Promise<PendingApp | undefined>
  /** Encrypts the secret of an app, as it is stored. */
  seal(subject: string, secret: string): string
  countRecoveryCodes(subject: string): Promise<number>
  /** Returns the id of a recovery code if it is one of this user's. Does NOT spend it. */
  findRecoveryCode(subject: string, code: string): Promise<string | undefined>
}

/**
 * Creates `SecondFactors`.
 *
 * @param parts.seal encrypts the secrets of apps; undefined if there is no key that stays
 */
export function createSecondFactors(
  database: Pick<Database, 'reader'>,
  { seal, clock }: { readonly seal: Seal | undefined; readonly clock: Clock },
): SecondFactors {
  const { reader } = database
  const findConfirmed = async (subject: string): Promise<AuthenticatorAppRow | undefined> =>
    (await findApp(reader, { subject, state: 'confirmed' }))[0]

  return {
    isSetUp: (name, subject) => secondFactors[name].isSetUp(reader, subject),
    hasAny: (subject) => hasSecondFactor(reader, subject),
    newestAt: (subject) => newestFactorAt(reader, subject),
    async findApp(subject) {
      const row = await findConfirmed(subject)
      if (!row) return undefined

      const { sealed } = row
      const secret = seal?.open(sealed, subject)
      if (secret === undefined)
        throw new Error(
          'the secret of an authenticator app was encrypted with another key. ' +
            'Fix: set previousKey to that key, or run keystile user reset-factors',
        )
      return {
        secret,
        sealed,
        lastStep: row.last_step,
        ...describeApp(row),
      }
    },
    async describe(subject) {
      const row = await findConfirmed(subject)
      return {
        app: row && describeApp(row),
        recoveryCodes: await describeRecoveryCodes(reader, subject),
      }
    },
    async findPending(subject, sessionId) {
      const [row] = await findApp(reader, { subject, state: pendingIn(sessionId) })
      if (!row || row.created_at <= clock.now() - pendingMilliseconds) return undefined
      const { sealed } = row
      const secret = seal?.open(sealed, subject)
      return secret === undefined ? undefined : { secret, sealed }
    },
    seal(subject, secret) {
      if (!seal) throw new Error('a key must encrypt the secrets of authenticator apps')
      return seal.seal(secret, subject)
    },
    countRecoveryCodes: async (subject) => (await describeRecoveryCodes(reader, subject)).count,
    async findRecoveryCode(subject, code) {
      const id = hashRecoveryCode(code)
      return (await hasRecoveryCode(reader, { id, subject })) ? id : undefined
    },
  }
}

function describeApp({
  created_at: createdAt,
  wrong_codes: wrongCodes,
}: AuthenticatorAppRow): NonNullable<DescribedFactors['app']> {
  return { createdAt: new Date(createdAt), takesUnknownDevices: wrongCodes < maxWrongCodes }
}
