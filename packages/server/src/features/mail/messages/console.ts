import { ProblemError, type HttpAnswer, type Logger } from 'keystile/internal'
import { isFromThisMachine, isHostThisMachine } from '../../../http/local-request.ts'
import type { OpenRoute } from '../../../http/route.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import { developmentPage } from '../../../pages/development.ts'
import type { Brand } from '../../../pages/brand.ts'
import type { MailMessage } from './message.ts'
import type { MailTransport } from './transport.ts'

/** The number of mails that the page shows. Older mails are forgotten. */
const maxShown = 50

/**
 * Creates the transport for development. It sends nothing: the page `/dev/mail` shows the latest
 * mails of this process, to requests from this machine only. A safety rule also refuses this
 * transport if other machines can reach the server. But an app decides itself where it listens.
 */
export function createConsoleMail(options: {
  readonly brand: Brand
  readonly logger: Logger
}): MailTransport & { readonly route: OpenRoute } {
  const { brand, logger } = options
  const sent: MailMessage[] = []
  return {
    async send(message) {
      sent.unshift(message)
      sent.length = Math.min(sent.length, maxShown)
      logger.info({ messageId: message.messageId }, 'a mail was not sent; /dev/mail shows it')
    },
    close() {},
    route: {
      method: 'GET',
      path: '/dev/mail',
      below: 'issuer',
      refusals: 'problem',
      doc: {
        tag: 'Metadata',
        summary: 'Read the mails of this process, in development',
        success: { status: 200, description: 'The latest mails', type: 'text/html' },
        refuses: {
          403: 'The request does not come from this machine, or its `Host` does not name it',
        },
      },
      handle(request) {
        if (!isFromThisMachine(request) || !isHostThisMachine(request))
          throw new ProblemError(
            'forbidden',
            'Open this page on the machine of the server, at localhost or 127.0.0.1',
          )
        return pageOf(sent, brand)
      },
    },
  }
}

function pageOf(messages: readonly MailMessage[], brand: Brand): HttpAnswer {
  return developmentPage(brand, {
    heading: 'Mails',
    intro: 'In development, mails land here, the newest first. Reload the page to see new ones.',
    content: messages.length === 0 ? markup`<p>No mail yet.</p>` : joined(messages.map(articleOf)),
  })
}

function articleOf({ to, subject, date, text }: MailMessage): Html {
  return markup`<article class="part">
<header><h2>${subject}</h2>
<p class="hint">To ${to}<br><time>${shownTime(date)}</time></p></header>
<div><pre>${linked(text)}</pre></div>
</article>
`
}

/** Returns a time that fits on a narrow screen, such as `2026-11-25 12:00:31Z`. */
function shownTime(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** Makes links of the URLs in a text. */
function linked(text: string): Html {
  const parts = text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/)
  return joined(
    parts.map((part, index) => (index % 2 === 1 ? markup`<a href="${part}">${part}</a>` : part)),
  )
}
