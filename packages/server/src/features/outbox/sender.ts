// Sends the mails of the outbox, in the process that holds the lease of background jobs.

import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Logger } from 'keystile/internal'
import type { Seal } from '../../base/seal.ts'
import { minuteMilliseconds, secondMilliseconds } from '../../feature/limit-rate.ts'
import type { Meter, Reading } from '../../feature/metric.ts'
import type { Database } from '../../storage/database.ts'
import { LeaseLostError, type Lease } from '../lease/lease.ts'
import { failureOf } from './failure.ts'
import { deadMails, mailTries, waitingMails } from './feature.ts'
import { openParameters, type MailParameters } from './new-mail.ts'
import { claimMails, countMails, eraseMail, failMail, hasDueMail } from './store.ts'
import type { MailRow } from './tables.ts'

/** How often the sender looks for mails to send. */
const tickMilliseconds = secondMilliseconds
/** How many mails are sent at the same time. */
const batchSize = 10
/** The maximum time for one try. After it, the try has failed. */
const sendMilliseconds = minuteMilliseconds
/**
 * How long a mail that a process has claimed belongs to this process. This is longer than a try, so
 * that two processes never send the same mail at once.
 */
const claimMilliseconds = sendMilliseconds + 30 * secondMilliseconds
/** How long `close()` waits for mails that are being sent, before it interrupts them. */
const closeMilliseconds = 5 * secondMilliseconds
/** How often the metrics are read from the database. */
const countMilliseconds = 15 * secondMilliseconds

/** A mail to write and send. */
export interface OutgoingMail {
  readonly id: string
  readonly template: string
  /** The user whom the mail is about. */
  readonly subject: string
  readonly recipient: string
  readonly parameters: MailParameters
  /** The time of the change that caused the mail. */
  readonly createdAt: Date
}

/** Writes and sends a mail. Resolves when a mail server has accepted the mail. */
export type Deliver = (mail: OutgoingMail, signal: AbortSignal) => Promise<void>

/** The services that the sender uses. */
export interface SenderParts {
  readonly database: Pick<Database, 'reader'>
  readonly lease: Lease
  /** The seal that encrypts the parameters of the mails. */
  readonly seal: Seal
  readonly deliver: Deliver
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
}

/** Sends mails until it is closed. */
export interface Sender {
  /** The numbers of waiting mails and of dead letters, up to 15 s old. */
  readonly gauges: readonly Reading[]
  /** Waits up to 5 s for mails that are being sent, and interrupts the rest. */
  close(): Promise<void>
}

/** Starts to send mails whenever this process holds the lease. */
export function startSender(parts: SenderParts): Sender {
  const { database, lease, logger } = parts
  const stopping = new AbortController()
  const closing = new AbortController()
  let isFailing = false
  let counts = { waiting: 0, dead: 0 }
  let countedAt = -Infinity

  async function count(): Promise<void> {
    if (performance.now() - countedAt < countMilliseconds) return
    countedAt = performance.now()
    counts = await countMails(database.reader)
  }

  async function step(): Promise<void> {
    try {
      await count()
      let goesOn = true
      while (goesOn && !stopping.signal.aborted && lease.isHeld)
        goesOn = await sendBatch(parts, closing.signal)
      isFailing = false
    } catch (error) {
      if (error instanceof LeaseLostError) return
      if (!isFailing) logger.warn({ err: error }, 'the outbox cannot be read or written')
      isFailing = true
    }
  }

  let running: Promise<void> | undefined
  const tick = (): void => void (running ??= step().finally(() => (running = undefined)))
  const timer = setInterval(tick, tickMilliseconds)
  timer.unref()
  lease.onTaken(tick)

  return {
    get gauges() {
      return [
        { gauge: waitingMails, value: counts.waiting },
        { gauge: deadMails, value: counts.dead },
      ]
    },
    async close() {
      stopping.abort()
      clearInterval(timer)
      if (!running) return

      await Promise.race([running, delay(closeMilliseconds, undefined, { ref: false })])
      closing.abort()
      await running
    },
  }
}

/**
 * Claims the mails that are due and sends them. No transaction is open during the sending.
 *
 * @returns whether to look for more mails immediately. If all mails failed, the mail server may be
 *   down, so the caller waits for the next interval
 */
async function sendBatch(parts: SenderParts, closing: AbortSignal): Promise<boolean> {
  const { database, lease, clock } = parts
  const now = clock.now()
  if (!(await hasDueMail(database.reader, now))) return false

  const claim = { now, until: now + claimMilliseconds, limit: batchSize }
  const mails = await lease.write(claimMails, claim)
  const sent = await Promise.all(mails.map((mail) => sendMail(mail, parts, closing)))
  return mails.length === batchSize && sent.some(Boolean)
}

/** Sends one mail and stores the outcome. Returns whether it was sent. */
async function sendMail(row: MailRow, parts: SenderParts, closing: AbortSignal): Promise<boolean> {
  const { lease, clock, logger, meter } = parts
  const failure = await attempt(row, parts, closing)
  if (failure === undefined) {
    // A crash before this commit sends the mail once more, and never less than once.
    await lease.write(eraseMail, { id: row.id })
    meter.add(mailTries, { outcome: 'sent' })
    return true
  }

  const now = clock.now()
  const isDead = failure.isPermanent || row.tries >= maxTries
  await lease.write(failMail, {
    id: row.id,
    failure: failure.code,
    dead_at: isDead ? now : null,
    nextTryAt: now + backOffMilliseconds(row.tries),
  })
  meter.add(mailTries, { outcome: isDead ? 'dead' : 'failed' })

  const fields = { mail: row.id, template: row.template, failure: failure.code, tries: row.tries }
  if (isDead) logger.error(fields, 'a mail could not be sent and is not tried again')
  else logger.debug(fields, 'a mail could not be sent; it is tried again')
  return false
}

/** Tries to send a mail. Returns why it failed, or undefined if it was sent. */
async function attempt(
  row: MailRow,
  { seal, deliver, lease }: SenderParts,
  closing: AbortSignal,
): Promise<ReturnType<typeof failureOf> | undefined> {
  const parameters = openParameters(row, seal)
  if (parameters === undefined) return { code: 'unreadable', isPermanent: true }
  // The process may have been paused since it claimed the mail.
  if (!lease.isHeld) throw new LeaseLostError('another process runs the background jobs now')

  const { id, template, subject, recipient } = row
  const createdAt = new Date(row.created_at)
  const timeout = AbortSignal.timeout(sendMilliseconds)
  const signal = AbortSignal.any([closing, timeout])
  try {
    const delivery = deliver({ id, template, subject, recipient, parameters, createdAt }, signal)
    await Promise.race([delivery, rejectionOf(signal)])
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason as Error)
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

/**
 * The number of failed tries after which a mail is a dead letter. The last try is about 17 hours
 * after the first.
 */
const maxTries = 24
const firstBackOffMilliseconds = 10 * secondMilliseconds
const maxBackOffMilliseconds = 60 * minuteMilliseconds

/**
 * Returns the time until the next try: 10 s after the first try. It doubles with each try, up to 1
 * h.
 */
function backOffMilliseconds(tries: number): number {
  return Math.min(firstBackOffMilliseconds * 2 ** (tries - 1), maxBackOffMilliseconds)
}
