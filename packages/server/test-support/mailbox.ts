// Keystile that sends its mails to a list, for tests of the flows by mail.
import assert from 'node:assert/strict'
import type { AppMail, MailContent, MailMessage, ProofMail } from '@keystile/server'
import { createTestClock, type Stage, type TestClock, type TestKeystile } from './keystile.ts'
import { mailsSent } from './mails-sent.ts'

/** Keystile, its mails, and a clock. */
export interface WithMailbox extends TestKeystile {
  readonly clock: TestClock
  readonly mails: readonly MailMessage[]
  /** Resolves when all requests are resolved and all mails are sent. */
  settled(): Promise<void>
  /** Waits as `settled()`, and returns the newest mail to an address. */
  mailTo(address: string): Promise<ReadMail>
}

/** What a person reads in a mail. */
export interface ReadMail {
  readonly message: MailMessage
  readonly token: string
  readonly code: string
}

/** Starts Keystile on a stage. */
export async function startWithMailbox(stage: Stage, options: object = {}): Promise<WithMailbox> {
  const clock = createTestClock()
  const mails: MailMessage[] = []
  const mail: AppMail = {
    from: 'no-reply@example.com',
    send: (message) => void mails.push(message),
    templates: { invitation: writeInvitation },
  }
  const started = await stage.start({ clock, mail, ...options })
  const settled = (): Promise<void> => mailsSent(stage)
  return {
    ...started,
    clock,
    mails,
    settled,
    async mailTo(address) {
      await settled()
      return readMail(mails.findLast(({ to }) => to === address))
    },
  }
}

/** A template of an app that asks for the codes of invitations. */
export function writeInvitation({ link, code = '' }: ProofMail): MailContent {
  const text = `Open this link:\n\n${link}\n\n${code.slice(0, 4)} ${code.slice(4)}\n`
  return { subject: 'Your invitation', text, html: '' }
}

function readMail(message: MailMessage | undefined): ReadMail {
  assert.ok(message, 'no mail was sent')
  const token = /token=([\w-]{43})\n/.exec(message.text)?.[1] ?? ''
  const code = /^\d{4} \d{4}$/m.exec(message.text)?.[0] ?? ''
  return { message, token, code }
}
