import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { markup } from '../../../pages/html.ts'
import { page, readerOf, type PageSettings } from './page-parts.ts'

/** Returns the page for a browser while the database does not answer. */
export function unavailablePage(request: HttpRequestWithBody, settings: PageSettings): HttpAnswer {
  const reader = readerOf(request, settings)
  const { heading, opened, sent, again } = reader.texts.unavailablePage
  const content =
    request.method === 'POST'
      ? markup`<p>${sent}</p>`
      : markup`<p>${opened}</p>
<p><a class="button" href="">${again}</a></p>`
  return page(reader, heading, content, { status: 503, retryAfterSeconds: 1 })
}
