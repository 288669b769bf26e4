// Requests and answers, independent of any framework.
import { ProblemError } from '../base/errors.ts'

/** A request, as the adapter of a framework passes it. A guard also takes a web `Request`. */
export interface HttpRequest {
  readonly method: string
  /** The request target: an absolute URL, or a path with its query. Only the path is used. */
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined }
}

/** A request with a body. */
export interface HttpRequestWithBody extends HttpRequest {
  /**
   * The IP address of the sender or of a proxy before us, if the platform knows it. It must come
   * from the connection and never from a header, which a sender can forge.
   */
  readonly remoteAddress?: string | undefined
  /**
   * Reads the whole body.
   *
   * @throws {ProblemError} `content_too_large` as soon as there are more than `maxBytes`
   */
  body(maxBytes: number): Promise<Uint8Array>
}

/** The body of an answer. Bytes are for a shared body: text would be encoded for each answer. */
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
 * The header that stops browsers from guessing a type: JSON that an attacker filled with HTML must
 * not become a page. Every answer has it.
 */
export const noSniffing = { 'x-content-type-options': 'nosniff' } as const

/** Makes a web `Response` of an answer. */
export function toResponse(answer: HttpAnswer<AnswerBody>): Response {
  const headers = new Headers({ ...answer.headers, ...noSniffing })
  for (const cookie of answer.cookies ?? []) headers.append('set-cookie', cookie)
  return new Response(answer.body ?? null, { status: answer.status, headers })
}

/**
 * Returns the path of a request target, without its query. It is neither decoded nor normalized:
 * if a proxy decided by another path than the one used here, its rules could be bypassed.
 *
 * @returns `undefined` for a target that is neither a path nor an http URL, or has a fragment
 */
export function pathOf(url: string): string | undefined {
  // The absolute form (RFC 9112 §3.2.2). Its host is the sender's claim, so it is dropped.
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
