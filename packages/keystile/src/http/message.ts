// Requests and answers, independent of any framework.
import { ProblemError } from '../base/errors.ts'

/** A request, as the adapter of a framework passes it. A guard also accepts a web `Request`. */
export interface HttpRequest {
  readonly method: string
  /** The request target: an absolute URL, or a path with its query. Only the path is used. */
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined }
}

/** A request with a body. */
export interface HttpRequestWithBody extends HttpRequest {
  /**
   * The IP address at the other end of the connection, if the platform knows it: that of the sender
   * or of the last proxy. It must come from the connection and never from a header, which a sender
   * can forge.
   */
  readonly remoteAddress?: string | undefined
  /**
   * Reads the whole body.
   *
   * @throws {ProblemError} `content_too_large` as soon as there are more than `maxBytes`
   */
  body(maxBytes: number): Promise<Uint8Array>
}

/**
 * The body of an answer. Use bytes if many answers have the same body, because a string would be
 * encoded again for each answer.
 */
export type AnswerBody = string | Uint8Array<ArrayBuffer>

/** An answer, which the adapter of a framework writes. */
export interface HttpAnswer<Body extends AnswerBody = string> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Values of `Set-Cookie`, the one field whose values must not be joined (RFC 6265 §3). */
  readonly cookies?: readonly string[] | undefined
  readonly body?: Body | undefined
}

/**
 * The header that stops browsers from guessing a content type. Otherwise a browser could show JSON
 * as a page, and run HTML that an attacker has put into it. Every answer has this header.
 */
export const noSniffing = { 'x-content-type-options': 'nosniff' } as const

/** Converts an answer to a web `Response`. */
export function toResponse(answer: HttpAnswer<AnswerBody>): Response {
  const headers = new Headers({ ...answer.headers, ...noSniffing })
  for (const cookie of answer.cookies ?? []) headers.append('set-cookie', cookie)
  return new Response(answer.body ?? null, { status: answer.status, headers })
}

/**
 * Returns the path of a request target, without its query. The path is neither decoded nor
 * normalized, so it is the same path that a proxy in front of the app has checked. Otherwise
 * `/x/../token` could pass a proxy's rule for `/x`, and reach `/token` here.
 *
 * @returns `undefined` for a target that is neither a path nor an http URL, or that has a fragment
 */
export function pathOf(url: string): string | undefined {
  // An absolute URL (RFC 9112 §3.2.2). The sender can write any host, so the host is dropped.
  const authority = /^https?:\/\/(?:\[[\da-f:.]+\]|[^/?#[\]])+/i.exec(url)?.[0]
  const target = authority === undefined ? url : url.slice(authority.length)
  if (!target.startsWith('/')) return authority === undefined ? undefined : '/'

  const query = target.indexOf('?')
  // Stryker disable next-line EqualityOperator: the first character is a slash
  const path = query < 0 ? target : target.slice(0, query)
  return path.includes('#') ? undefined : path // clients never send a fragment
}

/** Makes the error for a body over the limit. */
export function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError('content_too_large', `The body may have ${maxBytes} bytes at most`)
}
