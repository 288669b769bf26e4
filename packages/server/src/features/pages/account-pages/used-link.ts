import type { HttpAnswer } from 'keystile/internal'
import type { Language } from '../../mail/messages/message.ts'
import { markup } from '../../../pages/html.ts'
import { page, type PageReader } from './page-parts.ts'

const texts: Readonly<Record<Language, { readonly heading: string; readonly reason: string }>> = {
  en: {
    heading: 'This link does not work any more',
    reason: 'A link from a mail works once, and only for some time.',
  },
  de: {
    heading: 'Dieser Link gilt nicht mehr',
    reason: 'Ein Link aus einer Mail gilt einmal und nur eine begrenzte Zeit.',
  },
  fr: {
    heading: 'Ce lien n’est plus valable',
    reason: 'Un lien reçu par message ne sert qu’une fois, et pendant un temps limité.',
  },
  es: {
    heading: 'Este enlace ya no es válido',
    reason: 'El enlace de un mensaje sirve una sola vez y durante un tiempo limitado.',
  },
}

/** A link to the page where a person asks for another mail. */
export interface Again {
  readonly href: string
  readonly label: string
}

/**
 * Writes the page for a link that was used, has expired or never existed. The page does not say
 * which: Keystile does not keep used links.
 *
 * @param text what the person can do now
 */
export function usedLinkPage(reader: PageReader, text: string, again?: Again): HttpAnswer {
  const { heading, reason } = texts[reader.language]
  const content = markup`<p>${reason} ${text}</p>
${again && markup`<p><a class="button" href="${again.href}">${again.label}</a></p>`}`
  return page(reader, heading, content, { status: 403 })
}
