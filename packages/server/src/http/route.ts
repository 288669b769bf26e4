import type { HttpAnswer, HttpRequestWithBody } from 'keystile/internal'

/** One endpoint. A feature lists its own; `server/wire.ts` puts all lists together. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** Below the path of the issuer, or below the root where the standard wants it there. */
  readonly path: string
  readonly below: 'issuer' | 'root'
  /** How its refusals read: as RFC 6749 §5.2 or as RFC 9457. */
  readonly refusals: 'oauth' | 'problem'
  handle(request: HttpRequestWithBody): HttpAnswer | Promise<HttpAnswer>
}

/** More than any honest body has; a longer one is refused before it is read to its end. */
export const maxBodyBytes = 65_536

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  }
}

/** The media type of a body, without its parameters, in lower case. */
export function mediaTypeOf(request: HttpRequestWithBody): string {
  return (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
}
