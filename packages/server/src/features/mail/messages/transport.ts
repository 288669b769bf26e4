import type { OpenRoute } from '../../../http/route.ts'
import type { MailMessage } from './message.ts'

/** Sends mails to a mail server, to the app or to the page for development. */
export interface MailTransport {
  /** Resolves when the mail is accepted. Gives up when the signal aborts. */
  send(message: MailMessage, signal: AbortSignal): Promise<void>
  close(): void
  /** The mail server, for the log. Undefined if the app sends the mails. */
  readonly server?: { readonly host: string; readonly port: number }
  /** The pages for development, if the mails go there. */
  readonly routes?: readonly OpenRoute[]
}
