// Sends the mails of the outbox, in the process that holds the lease of background jobs. How a mail
// is sent, for example the notice that tells a user that the password was changed:
//
// 1. The code that changes the account prepares the notice (features/mail/messages/notices.ts), and
//    passes it to its command. `new-mail.ts` encrypts the parameters.
// 2. As its last step, the command calls `insertMail` (`in-transaction.ts`), which counts the mail
//    against the limits of its share of the mailbox, and inserts a row. If there is no room, it
//    drops the mail and counts it in the table `dropped_mail` (`dropped.ts`).
// 3. A worker (features/operations/queue/worker.ts) claims the rows that are due, and this file
//    decrypts them. features/mail/messages/write.ts writes text and HTML, and a transport sends
//    them: SMTP (signed with DKIM), the page `/dev/mail`, or the app's `send`.
// 4. If the mail was sent, the worker deletes the row. Otherwise `failure.ts` decides whether
//    another try is useful. If not, the row becomes a dead letter, which is not tried again.

import type { Seal } from '../../../base/seal.ts'
import { minuteMilliseconds } from '../../../feature/limit-rate.ts'
import type { Meter, Reading } from '../../../feature/metric.ts'
import type { Database } from '../../../storage/database.ts'
import { createQueueGauges } from '../../operations/queue/gauges.ts'
import {
  startWorker,
  type Failure,
  type Queue,
  type WorkerParts,
} from '../../operations/queue/worker.ts'
import { logDrops } from './dropped.ts'
import { explainFailure, failureOf } from './failure.ts'
import { deadMails, mailTries, waitingMails } from './feature.ts'
import { openParameters, type MailParameters } from './new-mail.ts'
import { countMails, mailCommands, mailTable } from './store.ts'
import type { MailRow } from './tables.ts'

/**
 * The number of failed tries after which a mail is a dead letter. The last try is about 15 hours
 * after the first.
 */
const maxTries = 24

/** The try after whose failure a warning is logged. A first try often fails for a moment only. */
const warnedTry = 2
/** The shortest time between two warnings. */
const warningMilliseconds = minuteMilliseconds

export interface OutgoingMail extends Pick<MailRow, 'id' | 'template' | 'subject' | 'recipient'> {
  readonly parameters: MailParameters
  /** The time of the change that caused the mail. */
  readonly createdAt: Date
}

export interface SenderParts extends WorkerParts {
  readonly database: Pick<Database, 'reader' | 'onCommitted'>
  readonly seal: Seal
  /** Writes and sends a mail. Resolves when a mail server has accepted the mail. */
  deliver(mail: OutgoingMail, signal: AbortSignal): Promise<void>
  /** The mail server, for the log. Undefined if the app sends the mails. */
  readonly server?: { readonly host: string; readonly port: number } | undefined
  readonly meter: Meter
}

export interface Sender {
  /** Returns the numbers of waiting mails and of dead letters. */
  readGauges(): readonly Reading[]
  /**
   * Waits up to 5 s for the mails that are being sent. Then interrupts those that are not sent yet.
   */
  close(): Promise<void>
}

/**
 * Starts the sender. It sends mails only while this process holds the lease. One process at a time
 * holds the lease.
 */
export function startSender(parts: SenderParts): Sender {
  const { reader } = parts.database
  logDrops(parts.database, parts.logger)
  const { close } = startWorker(queueOf(parts), parts)
  const gauges = { waiting: waitingMails, dead: deadMails }
  return { readGauges: createQueueGauges(gauges, () => countMails(reader)), close }
}

function queueOf({ seal, deliver, server, clock, logger, meter }: SenderParts): Queue<MailRow> {
  let warnedAt = -Infinity
  let isFailing = false

  /** Warns that mails fail, but not for each mail and each try. */
  function warn(failure: string, tries: number): void {
    const now = clock.now()
    if (tries < warnedTry || Math.abs(now - warnedAt) < warningMilliseconds) return

    warnedAt = now
    isFailing = true
    const fields = { ...server, failure, ...explainFailure(failure) }
    logger.warn(fields, 'mails cannot be sent; Keystile tries again')
  }

  return {
    table: mailTable,
    commands: mailCommands,
    async deliver(row, signal) {
      const { id, template, subject, recipient } = row
      const parameters = openParameters(row, seal)
      if (parameters === undefined) throw new UnreadableError()

      const createdAt = new Date(row.created_at)
      await deliver({ id, template, subject, recipient, parameters, createdAt }, signal)
    },
    failureOf(error, { tries }): Failure {
      if (error instanceof UnreadableError) return { code: 'unreadable', isFinal: true }

      const { code, isPermanent } = failureOf(error)
      return { code, isFinal: isPermanent || tries >= maxTries }
    },
    reportDelivery() {
      meter.add(mailTries, { outcome: 'sent' })
      if (isFailing) logger.info({ ...server }, 'mails can be sent again')
      isFailing = false
    },
    reportFailure(row, { failure: { code, isFinal: isDead } }) {
      meter.add(mailTries, { outcome: isDead ? 'dead' : 'failed' })
      const fields = { mail: row.id, template: row.template, failure: code, tries: row.tries }
      if (isDead) {
        const { cause, fix } = explainFailure(code)
        const reason = { ...server, ...fields, cause, fix: `${fix}; ${thenRetry}` }
        logger.error(reason, 'a mail could not be sent and is not tried again')
      } else {
        logger.debug(fields, 'a mail could not be sent; it is tried again')
        warn(code, row.tries)
      }
    },
  }
}

const thenRetry =
  '"keystile mail list" shows such mails, and "keystile mail retry" sends them again'

/** Thrown if the parameters of a mail were encrypted with another key or for another mail. */
class UnreadableError extends Error {}
