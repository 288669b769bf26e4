import type { Reader, Transaction } from '../storage/database.ts'

/**
 * A second factor as transactions see it: logins of a user who has set it up need a second step.
 * The functions that get a transaction run after the user was locked in it.
 */
export interface SecondFactor {
  isSetUp(db: Reader, subject: string): Promise<boolean>
  /** When the newest part of the factor was set up, in milliseconds; undefined without it. */
  newestAt(db: Reader, subject: string): Promise<number | undefined>
  /**
   * Whether the user still has what a login has proved. If a proof works once, this spends it, and
   * returns false if it was spent before.
   *
   * @param proof.mark the mark that the method gave the proof
   */
  isHeld(
    transaction: Transaction,
    proof: { readonly subject: string; readonly mark: string },
  ): Promise<boolean>
  /**
   * Erases the factor, also when the user is deleted.
   *
   * @param options.since erases only what was set up since this time, in milliseconds. Without it,
   *   erases all
   * @returns whether a factor that was set up is erased
   */
  erase(
    transaction: Transaction,
    options: { readonly subject: string; readonly since?: number },
  ): Promise<boolean>
}
