import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import { actionsOf } from '../../../pages/parts.ts'
import { page, readerOf } from '../account-pages/reader.ts'
import type { PageSettings } from '../brand/page-settings.ts'

/** Returns the page for a path that has no page. */
export function notFoundPage(request: HttpRequestWithBody, pages: PageSettings): HttpAnswer {
  const reader = readerOf(request, pages)
  const { heading, text: intro, toStart } = reader.texts.notFound
  const content = actionsOf({ label: toStart, href: `${pages.brand.base}/` })
  return page(reader, { heading, intro, emblem: { icon: 'link' }, content, status: 404 })
}
