import { ProblemError, type HttpAnswer, type Logger } from 'keystile/internal'
import { seeOther } from '../../../http/answers.ts'
import { isFromThisMachine, isHostThisMachine } from '../../../http/local-request.ts'
import type { OpenRoute, RouteRequest } from '../../../http/route.ts'
import type { Brand } from '../../../pages/brand.ts'
import { developmentPage } from '../../../pages/development.ts'
import { joined, markup, type Html } from '../../../pages/html.ts'
import { pageHeaders } from '../../../pages/layout.ts'
import { actionsOf } from '../../../pages/parts.ts'
import type { MailMessage } from './message.ts'
import type { MailTransport } from './transport.ts'

/** The number of mails that the page shows. Older mails are forgotten. */
const maxShown = 50

interface Shown {
  readonly id: number
  readonly message: MailMessage
}

/**
 * Creates the transport for development. It sends nothing: the page `/dev/mail` shows the latest
 * mails of this process, to requests from this machine only. A safety rule also refuses this
 * transport if other machines can reach the server. But an app decides itself where it listens.
 */
export function createConsoleMail(options: {
  readonly brand: Brand
  readonly logger: Logger
}): MailTransport & { readonly routes: readonly OpenRoute[] } {
  const { brand, logger } = options
  const sent: Shown[] = []
  let count = 0
  return {
    async send(message) {
      sent.unshift({ id: ++count, message })
      sent.length = Math.min(sent.length, maxShown)
      logger.info({ messageId: message.messageId }, 'a mail was not sent; /dev/mail shows it')
    },
    close() {},
    routes: [
      localRoute('/dev/mail', 'Read the mails of this process, in development', () =>
        pageOf(sent, brand),
      ),
      localRoute('/dev/mail/{id}', 'Look at one of these mails', ({ params: { id } }) => {
        const found = sent.find((one) => String(one.id) === id)
        return found ? htmlOf(found.message) : seeOther(`${brand.base}/dev/mail`)
      }),
    ],
  }
}

/** A page that opens only on the machine of the server. */
function localRoute(
  path: string,
  summary: string,
  show: (request: RouteRequest) => HttpAnswer,
): OpenRoute {
  return {
    method: 'GET',
    path,
    below: 'issuer',
    refusals: 'problem',
    doc: {
      tag: 'Metadata',
      summary,
      success: { status: 200, description: 'A page', type: 'text/html' },
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
      return show(request)
    },
  }
}

/**
 * Shows the HTML of a mail as a mail program does: no script runs, and nothing loads. The page has
 * an origin of its own (`sandbox`), because a template of the app may have written the HTML.
 */
function htmlOf({ html, attachments = [] }: MailMessage): HttpAnswer {
  const body = attachments.reduce(
    (text, { cid, contentType, content }) =>
      text.replaceAll(`cid:${cid}`, `data:${contentType};base64,${content}`),
    html,
  )
  return {
    status: 200,
    headers: {
      ...pageHeaders,
      'content-security-policy':
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    },
    body,
  }
}

function pageOf(messages: readonly Shown[], brand: Brand): HttpAnswer {
  const articles = messages.map((shown) => articleOf(shown, brand))
  return developmentPage(brand, {
    heading: 'Mails',
    intro: 'In development, mails land here, the newest first. Reload the page to see new ones.',
    content: messages.length === 0 ? markup`<p>No mail yet.</p>` : joined(articles),
  })
}

function articleOf({ id, message: { to, subject, date, text } }: Shown, { base }: Brand): Html {
  const of = ` (${to}, ${shownTime(date)})`
  const link = /^https?:\/\/\S+$/m.exec(text)?.[0]
  const opens = { label: 'Open its link', href: link, isSlim: true, of }
  const shows = { label: 'See the mail', href: `${base}/dev/mail/${id}`, isSlim: true, of }
  const buttons = link === undefined ? [] : [opens]
  return markup`<article class="part">
<header><h2>${subject}</h2>
<p class="hint">To ${to}<br><time>${shownTime(date)}</time></p></header>
<div>${actionsOf(...buttons, { ...shows, kind: 'second' })}
<pre>${linked(text)}</pre></div>
</article>
`
}

/** Returns a time that fits on a narrow screen, such as `2026-11-25 12:00:31Z`. */
function shownTime(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** A URL in a text, without the punctuation after it, as in `Open https://api.example/x.` */
const urlInText = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/

/** Makes links of the URLs in a text. */
function linked(text: string): Html {
  const parts = text.split(urlInText) // its group makes each second part a URL
  return joined(
    parts.map((part, index) => (index % 2 === 1 ? markup`<a href="${part}">${part}</a>` : part)),
  )
}
