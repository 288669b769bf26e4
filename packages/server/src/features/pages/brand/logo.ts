// Serves the logo of the app below the issuer.
import { createHash } from 'node:crypto'
import {
  pathOf,
  type AnswerBody,
  type HttpAnswer,
  type HttpRequestWithBody,
} from 'keystile/internal'
import type { Logo } from '../../../pages/brand.ts'
import { markup } from '../../../pages/html.ts'
import type { LogoFile } from './files.ts'

type Asked = Pick<HttpRequestWithBody, 'method' | 'url'>

/** Answers requests for a file, outside of the routes, which answer only with text. */
export interface FileAnswers {
  answer(request: Asked): HttpAnswer<AnswerBody> | undefined
  routeOf(request: Pick<Asked, 'url'>): string | undefined
}

/** Makes the logo of pages and mails. The hash in its address makes browsers load a new logo. */
export function logoOf({ kind, bytes }: LogoFile, issuer: string): Logo {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8)
  const path = `${logoPathOf(issuer)}?v=${hash}`
  return {
    element: markup`<img src="${path}" alt="" width="40" height="40">`,
    path,
    png: kind === 'png' ? bytes : undefined,
  }
}

export function serveLogo({ kind, bytes: body }: LogoFile, issuer: string): FileAnswers {
  const logoPath = logoPathOf(issuer)
  const answered = { status: 200, headers: headersOf(kind), body }
  return {
    answer({ method, url }) {
      if ((method !== 'GET' && method !== 'HEAD') || pathOf(url) !== logoPath) return undefined
      return method === 'HEAD' ? { ...answered, body: undefined } : answered
    },
    routeOf: ({ url }) => (pathOf(url) === logoPath ? logoPath : undefined),
  }
}

function logoPathOf(issuer: string): string {
  return `${new URL(issuer).pathname.replace(/\/$/, '')}/brand/logo`
}

/** An SVG may contain scripts. A browser that opens the logo as a page must not run them. */
function headersOf(kind: LogoFile['kind']): Readonly<Record<string, string>> {
  return {
    'content-type': kind === 'svg' ? 'image/svg+xml' : 'image/png',
    'cache-control': 'public, max-age=86400',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    'referrer-policy': 'no-referrer',
  }
}
