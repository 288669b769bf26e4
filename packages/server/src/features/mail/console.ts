import type { HttpAnswer, Logger } from 'keystile/internal'
import type { OpenRoute } from '../../http/route.ts'
import type { MailMessage } from './message.ts'
import type { MailTransport } from './transport.ts'
import { escapeHtml } from './write.ts'

/** The number of mails that the page shows. Older mails are forgotten. */
const maxShown = 50

/**
 * Creates the transport for development. It sends nothing: the page `/dev/mail` shows the latest
 * mails of this process. Anyone who can reach the page can read the mails, so a safety rule refuses
 * this transport if other machines can reach the server.
 */
export function createConsoleMail(logger: Logger): MailTransport & { readonly route: OpenRoute } {
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
      },
      handle: () => pageOf(sent),
    },
  }
}

function pageOf(messages: readonly MailMessage[]): HttpAnswer {
  const articles = messages.map(
    ({ to, subject, date, text }) => `<article>
<h2>${escapeHtml(subject)}</h2>
<p>To ${escapeHtml(to)}, ${date.toISOString()}</p>
<pre>${escapeHtml(text)}</pre>
</article>`,
  )
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    },
    body: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Mails</title></head>
<body>
<h1>Mails</h1>
${articles.join('\n') || '<p>No mail yet.</p>'}
</body>
</html>
`,
  }
}
