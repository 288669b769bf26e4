import type { HttpAnswer } from 'keystile/internal'
import type { Brand } from './brand.ts'
import { markup, type Html } from './html.ts'
import { emblemOf, type Emblem, type Words } from './parts.ts'

/** The headers of each page. It sends no `Referer`, because its URL may contain a token. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
} as const

/** The words of the layout, in the language of the page. */
export interface LayoutWords {
  readonly terms: string
  readonly privacy: string
  /** Stands in the title of a page that shows a fault, such as `Error:`. */
  readonly error: string
}

export interface Page {
  /** The language of the page, such as `de`. */
  readonly language: string
  readonly brand: Brand
  readonly words: LayoutWords
  /** The heading of the page. It also appears in the title of the window. */
  readonly heading: string
  /** The sentence below the heading. */
  readonly intro?: Words | undefined
  /** The sign above the heading of a page without a form. */
  readonly emblem?: Emblem | undefined
  readonly content?: Html | undefined
  /** What is at the end of the first line, beside the name of the app. */
  readonly corner?: Html | undefined
  /** Whether the page is for a wide screen. Default: it has one narrow column. */
  readonly isWide?: boolean | undefined
  /** Whether the page shows a fault in what was sent. */
  readonly hasFault?: boolean | undefined
  /** The status of the answer. Default: 200. */
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  /**
   * `same-origin` for a page whose forms must send their origin. The URL of such a page must not
   * contain a secret. Default: `no-referrer`, with which a form sends `Origin: null`.
   */
  readonly referrerPolicy?: 'same-origin' | undefined
}

/** Returns a page that works without scripts, on phones, in dark mode and with screen readers. */
export function pageAnswer(page: Page): HttpAnswer {
  const { language, brand, status = 200, retryAfterSeconds, referrerPolicy } = page
  return {
    status,
    headers: {
      ...pageHeaders,
      'content-security-policy': policyOf(brand),
      // A page that has opened this one cannot lead its window to a copy later.
      'cross-origin-opener-policy': 'same-origin',
      'content-language': language,
      ...(referrerPolicy && { 'referrer-policy': referrerPolicy }),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
    body: draw(page).text,
  }
}

/**
 * Returns the Content-Security-Policy. The page loads only the logo, runs no script, cannot be
 * framed, and sends forms only to this server.
 */
function policyOf({ style, logo }: Brand): string {
  const images = logo?.path === undefined ? '' : "; img-src 'self'"
  return (
    `default-src 'none'; style-src 'sha256-${style.hash}'${images}; form-action 'self'; ` +
    "frame-ancestors 'none'; base-uri 'none'"
  )
}

function draw({ language, brand, words, hasFault, isWide, corner, ...sheet }: Page): Html {
  const { name, next, logo, style } = brand
  const title = `${hasFault ? `${words.error} ` : ''}${sheet.heading} – ${name}`
  return markup`<!doctype html>
<html lang="${language}"${isRightToLeft(language) ? markup` dir="rtl"` : undefined}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
${logo?.path && markup`<link rel="icon" href="${logo.path}">`}
${style.element}
</head>
<body${isWide ? markup` class="wide"` : undefined}>
<header class="brand"><div>
<a class="name" href="${next.href}">${logo?.element}${name}</a>
${corner}
</div></header>
<main class="sheet">
${drawSheet(sheet)}
</main>
${drawFoot(brand, words)}
</body>
</html>
`
}

function drawSheet({
  heading,
  intro,
  emblem,
  content,
}: Pick<Page, 'heading' | 'intro' | 'emblem' | 'content'>): Html {
  // Below an emblem, the sentence is what the page is about.
  const style = emblem ? undefined : markup` class="soft"`
  return markup`${emblem && emblemOf(emblem)}
<header>
<h1>${heading}</h1>
${intro && markup`<p${style}>${intro}</p>`}
</header>
${content}`
}

function drawFoot({ host, termsUrl, privacyUrl }: Brand, { terms, privacy }: LayoutWords): Html {
  return markup`<footer class="foot"><ul>
<li><span dir="ltr">${host}</span></li>
${termsUrl && markup`<li><a href="${termsUrl}">${terms}</a></li>`}
${privacyUrl && markup`<li><a href="${privacyUrl}">${privacy}</a></li>`}
</ul></footer>`
}

/** The languages that are written from right to left. */
const rightToLeft: ReadonlySet<string> = new Set(['ar', 'dv', 'fa', 'he', 'ps', 'ug', 'ur', 'yi'])

function isRightToLeft(language: string): boolean {
  return rightToLeft.has(language.split('-', 1)[0] ?? '')
}
