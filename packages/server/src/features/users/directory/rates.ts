// The rate limits that guesses of strangers can use up, so that the owner of the account must wait.
// The login counts these guesses; `clearGuesses()` ends the wait.
import { minuteMilliseconds, type LimitRate } from '../../../feature/limit-rate.ts'

/**
 * Limits logins from unknown devices to 50 a day, per typed name. A Keystile account has a user
 * name and an e-mail address, so an attacker gets 100 guesses a day for one account.
 */
export const nameRate: LimitRate = {
  name: 'login',
  burst: 10,
  intervalMilliseconds: 36 * minuteMilliseconds,
}

/**
 * Limits codes of an authenticator app to 20 a day, per user, from unknown devices. A code counts
 * only after the right password or in a session. A right code is refunded.
 */
export const factorRate: LimitRate = {
  name: 'factor',
  burst: 10,
  intervalMilliseconds: 144 * minuteMilliseconds,
}

/**
 * Limits codes of an authenticator app from all known devices of a user together. A device
 * becomes known only with a code of the app.
 */
export const factorKnownRate: LimitRate = {
  name: 'factor-known',
  burst: 20,
  intervalMilliseconds: 72 * minuteMilliseconds,
}

/**
 * Limits the codes in mails to 20 a day, per user. A code counts only after the right password. A
 * right code is refunded.
 */
export const emailCodeRate: LimitRate = {
  name: 'factor-email-code',
  burst: 10,
  intervalMilliseconds: 144 * minuteMilliseconds,
}
