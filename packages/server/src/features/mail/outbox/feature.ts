import { countOf } from '../../../feature/count.ts'
import type { Feature } from '../../../feature/feature.ts'
import { minuteMilliseconds, type LimitRates } from '../../../feature/limit-rate.ts'
import type { CounterMetric, GaugeMetric } from '../../../feature/metric.ts'
import type { Rule } from '../../../feature/rule.ts'
import { mailCommands, purgeDropped } from './store.ts'

export const mailboxRates: LimitRates<'hour' | 'day' | 'reset' | 'allowance' | 'guess'> = {
  /**
   * Allows a mailbox three mails at once, then one each hour. Each share of the mailbox is counted
   * separately: see `MailShare`. `day` applies too.
   */
  hour: { name: 'mailbox-hour', burst: 3, intervalMilliseconds: 60 * minuteMilliseconds },
  /**
   * Allows a mailbox six mails at once, then one each six hours: at most ten in 24 hours. Each
   * share of the mailbox is counted separately.
   */
  day: { name: 'mailbox-day', burst: 6, intervalMilliseconds: 6 * 60 * minuteMilliseconds },
  /**
   * Allows an account three mails for a new password at once, then one each 144 minutes: at most 13
   * in 24 hours. The interval must be shorter than the lifetime of the link. So a mail is dropped
   * only while the link of an earlier one works.
   */
  reset: { name: 'mailbox-reset', burst: 3, intervalMilliseconds: 144 * minuteMilliseconds },
  /**
   * Allows a mailbox three mails with an allowance at once, then one each 144 minutes: at most 13
   * in 24 hours. The mails for all devices count together, because a user can have any number of
   * them.
   */
  allowance: {
    name: 'mailbox-allowance',
    burst: 3,
    intervalMilliseconds: 144 * minuteMilliseconds,
  },
  /** Allows a mailbox one mail a day about wrong codes of a second factor. */
  guess: { name: 'factor-notice', burst: 1, intervalMilliseconds: 24 * 60 * minuteMilliseconds },
}

/**
 * Counts the tries to send a mail, by outcome. After `failed`, the mail is tried again; after
 * `dead`, it is not.
 */
export const mailTries: CounterMetric<{ readonly outcome: 'sent' | 'failed' | 'dead' }> = {
  type: 'counter',
  name: 'keystile_mail_tries_total',
  help: 'Tries to send a mail, by outcome; a failed mail is tried again, a dead letter is not.',
  labels: { outcome: ['sent', 'failed', 'dead'] },
}

/** Counts the mails that housekeeping deletes because they expired, dead letters too. */
export const expiredMails: CounterMetric<{}> = {
  type: 'counter',
  name: 'keystile_mails_expired_total',
  help: 'Mails that expired before they were sent, with dead letters.',
  labels: {},
}

export const waitingMails: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_mails_waiting',
  help: 'Mails that are not sent yet: new ones, and those that failed and are tried again.',
}

export const deadMails: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_mails_dead',
  help: 'Dead letters: mails that could not be sent and are not tried again.',
}

const noDeadLetters: Rule<unknown> = {
  id: 'mail-sent',
  standard: 'RFC 5321 §4.2.5',
  severity: 'warn',
  demand: 'no mail may be a dead letter: a mail that failed and is not tried again',
  find({ machine }) {
    const { database } = machine ?? {}
    if (!database || database.kind === 'unavailable') return undefined

    const { deadMails: dead = 0 } = database
    if (dead === 0) return []
    const message = `must be sent; ${countOf(dead, 'is a dead letter', 'are dead letters')}`
    const fix = 'look at "keystile mail list", correct the cause, and run "keystile mail retry"'
    return [{ about: 'mails', message, fix }]
  },
}

/**
 * Mails that wait in the database. The transaction that makes a change also stores the mail about
 * it. The process that holds the lease of background jobs sends the mail.
 */
export const feature: Feature = {
  name: 'outbox',
  rules: [noDeadLetters],
  rates: Object.values(mailboxRates),
  metrics: [mailTries, expiredMails, waitingMails, deadMails],
  cleanUp: [
    { command: mailCommands.purge, time: 'clock', before: (time) => time, counter: expiredMails },
    { command: purgeDropped, time: 'clock', before: (time) => time },
  ],
  cliCommands: [
    {
      words: ['mail', 'list'],
      flags: { dropped: {}, json: {} },
      takesSettings: 'withoutKey',
      summary:
        'list mails that failed for good (dead letters), then mails that wait; with --dropped, ' +
        'mails that were not sent because their mailbox had reached its limit',
      load: async () => (await import('./cli.ts')).list,
    },
    {
      words: ['mail', 'retry'],
      flags: { id: { value: 'ID' } },
      takesSettings: 'withoutKey',
      summary:
        'send all failed mails now: dead letters, and mails that wait for their next try; ' +
        'with --id, only this mail',
      load: async () => (await import('./cli.ts')).retry,
    },
  ],
}
