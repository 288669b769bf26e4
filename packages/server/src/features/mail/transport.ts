import type { MailMessage } from './message.ts'

/** Passes mails on. */
export interface MailTransport {
  /** Resolves when a mail server has accepted the mail. Gives up when the signal aborts. */
  send(message: MailMessage, signal: AbortSignal): Promise<void>
  close(): void
}
