import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'
import type { Refusal } from '../../../http/refusal.ts'
import { markup } from '../../../pages/html.ts'
import { actionsOf, detailsOf, type Button } from '../../../pages/parts.ts'
import type { PageSettings } from '../brand/page-settings.ts'
import { page, readerOf, type PageReader } from './reader.ts'
import { continueButton } from './ways-on.ts'

const emblem = { icon: 'warning', tone: 'care' } as const

/**
 * Returns the page that a browser gets in place of the JSON of a refusal, with its status. The
 * message is for developers and operators: the rule, or the id of the incident.
 */
export function refusalPage(
  request: HttpRequestWithBody,
  { status, message, retryAfterSeconds }: Refusal,
  settings: PageSettings,
): HttpAnswer {
  if (status === 503) return unavailablePage(request, settings, retryAfterSeconds)

  const reader = readerOf(request, settings)
  const { refused, broken, details } = reader.texts.refusalPage
  const { heading, text: intro } = status < 500 ? refused : broken
  const detail = markup`<p lang="en">${message}</p>`
  const content = markup`${actionsOf(startButton(reader))}
${detailsOf(details, detail)}`
  return page(reader, { heading, intro, emblem, content, status, retryAfterSeconds })
}

/** Returns the page for a browser while the database does not answer, or a queue is full. */
export function unavailablePage(
  request: HttpRequestWithBody,
  settings: PageSettings,
  retryAfterSeconds = 1,
): HttpAnswer {
  const reader = readerOf(request, settings)
  const { heading, opened, sent, again } = reader.texts.unavailablePage
  const shown =
    request.method === 'POST'
      ? { intro: sent }
      : { intro: opened, content: actionsOf({ label: again, href: '' }) }
  return page(reader, { heading, emblem, ...shown, status: 503, retryAfterSeconds })
}

function startButton(reader: PageReader): Button {
  const { brand, hasLogin, texts } = reader
  if (!hasLogin) return continueButton(reader)
  return { label: texts.loginPage.back, href: `${brand.base}/login` }
}
