// The page with Swagger UI, for `/docs` of Keystile and for the pages of an app (`docs.ts`). Its
// files come from the package swagger-ui-dist and are served here, so the page loads nothing from
// other servers.
import { readFileSync } from 'node:fs'
import type { AnswerBody, HttpAnswer } from 'keystile/internal'
import { escapeHtml } from '../../../pages/html.ts'

/**
 * Returns the content security policy of the page. Users type passwords into the page, and the page
 * holds a token. So scripts, styles and images must come from this server, and requests may go only
 * to this server and to the origins in `connected`. The policy also forbids inline scripts (against
 * cross-site scripting). No site can show the page in a frame (against clickjacking).
 */
function contentSecurityPolicy(connected: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...connected].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Shows the dark colours of Swagger UI while the person prefers them. */
const followColours = `const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
`

/** Hides the column Links if no response has links. With it, a phone shows the table cut off. */
const style = `.swagger-ui .responses-table:not(:has(.response-col_links > :not(i)))
  .response-col_links { display: none }
`

/**
 * Returns the HTML of the page. The title is escaped, because an app may take it from an untrusted
 * source. The path is escaped, because the path of an issuer may have an `&`.
 *
 * @param path the path of the page
 */
function pageOf(path: string, title: string): string {
  const base = escapeHtml(path)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}/swagger-ui.css">
<link rel="stylesheet" href="${base}/start.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="${base}/swagger-ui-bundle.js"></script>
<script src="${base}/start.js"></script>
</body>
</html>
`
}

export interface SwaggerUiOptions {
  readonly path: string
  readonly documentPath: string
  readonly title: string
  /**
   * Further origins that the page may send requests to. The page may always send requests to its
   * own origin.
   */
  readonly connected?: readonly string[]
}

/**
 * Creates a function that gets a path. It returns the page or the file at this path, and
 * `undefined` if the path has neither. Each file is read once and stays in memory. A request cannot
 * read any other file, because the names of the files are fixed here.
 */
export function createSwaggerUi({
  path: base,
  documentPath,
  title,
  connected = [],
}: SwaggerUiOptions): (path: string) => HttpAnswer<AnswerBody> | undefined {
  const policy = contentSecurityPolicy(connected)
  const settings = [
    `url: ${JSON.stringify(documentPath)}`,
    "dom_id: '#swagger-ui'",
    'deepLinking: true',
    // Otherwise the page would send the address of the document to swagger.io.
    'validatorUrl: null',
  ]
  const start = `SwaggerUIBundle({ ${settings.join(', ')} })\n${followColours}`

  const files = new Map<string, HttpAnswer<AnswerBody>>()
  const read = (name: string, type: string): HttpAnswer<AnswerBody> => {
    const known =
      files.get(name) ??
      textAnswer(readFileSync(new URL(import.meta.resolve(`#swagger-ui/${name}`))), type, policy)
    files.set(name, known)
    return known
  }

  return (path) => {
    switch (path) {
      case base:
        return textAnswer(pageOf(base, title), 'text/html', policy)
      case `${base}/start.js`:
        return textAnswer(start, 'text/javascript', policy)
      case `${base}/start.css`:
        return textAnswer(style, 'text/css', policy)
      case `${base}/swagger-ui.css`:
        return read('swagger-ui.css', 'text/css')
      case `${base}/swagger-ui-bundle.js`:
        return read('swagger-ui-bundle.js', 'text/javascript')
    }
    return undefined
  }
}

function textAnswer(body: AnswerBody, type: string, policy: string): HttpAnswer<AnswerBody> {
  return {
    status: 200,
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': type === 'text/html' ? 'no-cache' : 'public, max-age=3600',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
    },
    body,
  }
}
