import { createHash } from 'node:crypto'
import type { HttpAnswer } from 'keystile/internal'
import { Html, markup } from './html.ts'

const style = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --edge: #767676; --line: #ddd;
  --act: #0b57d0; --on-act: #fff; --fault: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eee; --paper: #161616; --edge: #8f8f8f; --line: #444;
    --act: #a8c7fa; --on-act: #062e6f; --fault: #f2b8b5 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 26rem; margin: 4vh auto; overflow-wrap: break-word }
.wide { max-width: 44rem }
h1 { font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 0; font-size: 1.125rem; line-height: 1.35 }
section, article { margin-top: 2rem; padding-top: 1.5rem; border-top: 1px solid var(--line) }
pre, code { font: .875rem/1.6 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere }
pre { margin: .75rem 0 0; padding: .75rem 1rem; white-space: pre-wrap;
  border: 1px solid var(--line); border-radius: .4rem }
dt { margin-top: 1rem; font-weight: 600 }
dd { margin: 0 }
label { display: block; margin-top: 1rem; font-weight: 600 }
input, select { width: 100%; margin-top: .25rem; padding: .6rem .75rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--edge); border-radius: .4rem }
select { background: var(--paper); min-height: 2.85rem }
input[aria-invalid], select[aria-invalid] { border-color: var(--fault); border-width: 2px }
button, .button { display: block; width: 100%; margin-top: 1.5rem; padding: .7rem; font: inherit;
  font-weight: 600; text-align: center; text-decoration: none;
  color: var(--on-act); background: var(--act); border: 0; border-radius: .4rem; cursor: pointer }
a { color: var(--act) }
time { white-space: nowrap }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
.hint { margin: .25rem 0 0; font-size: .9rem }
.fault { color: var(--fault); font-weight: 600 }
`

const styleElement = new Html(`<style>${style}</style>`)
const styleHash = createHash('sha256').update(style).digest('base64')

/**
 * The headers of each page. The page loads nothing, runs no script, cannot be framed, and sends
 * forms only to this server. It sends no `Referer`, because its URL may contain a token.
 */
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; ` +
    "frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
} as const

export interface Page {
  /** The language of the page, such as `de`. */
  readonly language: string
  /** The heading of the page. It also appears in the title of the window. */
  readonly heading: string
  /**
   * The service where the person has the account: the host of the issuer, such as
   * `auth.example.com`.
   */
  readonly service: string
  readonly content: Html
  /** Whether the page is for a wide screen. Default: it has one narrow column. */
  readonly isWide?: boolean
  /** The status of the answer. Default: 200. */
  readonly status?: number
  readonly retryAfterSeconds?: number | undefined
}

/** Returns a page that works without scripts, on phones, in dark mode and with screen readers. */
export function pageAnswer(page: Page): HttpAnswer {
  const { language, heading, service, content, isWide, status = 200, retryAfterSeconds } = page
  const { text: body } = markup`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading} – ${service}</title>
${styleElement}
</head>
<body>
<main${isWide ? markup` class="wide"` : undefined}>
<p>${service}</p>
<h1>${heading}</h1>
${content}
</main>
</body>
</html>
`
  return {
    status,
    headers: {
      ...pageHeaders,
      'content-language': language,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
    body,
  }
}

export interface Field {
  readonly name: string
  readonly label: string
  readonly hint?: string | undefined
  readonly fault?: Html | undefined
  readonly attributes?: Html
  /** The values to choose from; undefined if the person types the value. */
  readonly choices?: readonly Choice[] | undefined
}

export interface Choice {
  readonly value: string
  readonly label: string
  readonly isChosen: boolean
}

/** Writes a field. A screen reader reads the label, the hint and the error message together. */
export function fieldOf({ name, label, hint, fault, attributes, choices }: Field): Html {
  const id = name.replaceAll(/[^\w-]/g, '-') // `aria-describedby` separates ids by spaces
  const described = [
    ...(fault ? [`${id}-fault`] : []),
    ...(hint === undefined ? [] : [`${id}-hint`]),
  ].join(' ')
  const all = markup`id="${id}" name="${name}" required ${attributes}${
    described === '' ? undefined : markup` aria-describedby="${described}"`
  }${fault && markup` aria-invalid="true" autofocus`}`
  const control = choices
    ? markup`<select ${all}>${choices.reduce(addChoice, noChoice)}</select>`
    : markup`<input ${all}>`
  return markup`<label for="${id}">${label}</label>
${fault && markup`<p class="fault" id="${id}-fault" role="alert">${fault}</p>`}
${hint && markup`<p class="hint" id="${id}-hint">${hint}</p>`}
${control}`
}

/** The first option of a list. Its value is empty, so the person must choose a different option. */
const noChoice = markup`<option value=""></option>`

function addChoice(choices: Html, { value, label, isChosen }: Choice): Html {
  const chosen = isChosen ? markup` selected` : undefined
  return markup`${choices}<option value="${value}"${chosen}>${label}</option>`
}
