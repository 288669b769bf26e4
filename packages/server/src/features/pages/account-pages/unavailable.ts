import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { actionsOf } from '../../../pages/parts.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import { page, readerOf } from './page-parts.ts'

/** Returns the page for a browser while the database does not answer. */
export function unavailablePage(request: HttpRequestWithBody, settings: PageSettings): HttpAnswer {
  const reader = readerOf(request, settings)
  const { heading, opened, sent, again } = reader.texts.unavailablePage
  const shown =
    request.method === 'POST'
      ? { intro: sent }
      : { intro: opened, content: actionsOf({ label: again, href: '' }) }
  const emblem = { icon: 'warning', tone: 'care' } as const
  return page(reader, { heading, emblem, ...shown, status: 503, retryAfterSeconds: 1 })
}
