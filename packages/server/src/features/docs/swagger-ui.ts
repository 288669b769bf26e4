import { readFileSync } from 'node:fs'
import type { HttpAnswer } from 'keystile/internal'

/** Everything comes from this server, nothing runs that is written into the page, and no other site frames it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Keystile</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null })\n`

/** The pages below `/docs`: Swagger UI over `/openapi.json`, which needs no other host. Other paths have no answer. */
export function createDocs(): (path: string) => HttpAnswer | undefined {
  const files = new Map<string, HttpAnswer>()
  const read = (name: string, type: string): HttpAnswer => {
    const known =
      files.get(name) ?? textAnswer(readFileSync(new URL(import.meta.resolve(`#swagger-ui/${name}`)), 'utf8'), type)
    files.set(name, known)
    return known
  }
  return (path) => {
    switch (path) {
      case '/docs':
        return textAnswer(page, 'text/html')
      case '/docs/start.js':
        return textAnswer(start, 'text/javascript')
      case '/docs/swagger-ui.css':
        return read('swagger-ui.css', 'text/css')
      case '/docs/swagger-ui-bundle.js':
        return read('swagger-ui-bundle.js', 'text/javascript')
      default:
        return undefined
    }
  }
}

function textAnswer(body: string, type: string): HttpAnswer {
  return {
    status: 200,
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': type === 'text/html' ? 'no-cache' : 'public, max-age=3600',
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
    body,
  }
}
