import { ProblemError } from '../base/errors.ts'

/**
 * A request as every adapter hands it over. A web `Request` fits where only a guard looks at it.
 */
export interface HttpRequest {
  readonly method: string
  /** The target: an absolute URL, or a path with its query. Only the path is ever used. */
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined }
}

/** A request whose body can be read as well. */
export interface HttpRequestWithBody extends HttpRequest {
  /** The IP address of the peer, where the platform tells it: who sent it, or the proxy before us. No header is believed. */
  readonly remoteAddress?: string | undefined
  /**
   * All bytes of the body.
   *
   * @throws {ProblemError} `content_too_large` as soon as there are more than `maxBytes`
   */
  body(maxBytes: number): Promise<Uint8Array>
}

/** Bytes where one body is for many: a text is encoded anew for each who asks, and kept until they have taken it. */
export type AnswerBody = string | Uint8Array<ArrayBuffer>

/** An answer, not yet in any framework's words. */
export interface HttpAnswer<Body extends AnswerBody = string> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Values of `Set-Cookie`, the one field that several may not be joined in (RFC 6265 §3). */
  readonly cookies?: readonly string[] | undefined
  readonly body?: Body | undefined
}

/** Forbids browsers to take a body for another type than `Content-Type` says. Every answer has it when it is written. */
export const noSniffing = { 'x-content-type-options': 'nosniff' } as const

export function toResponse(answer: HttpAnswer<AnswerBody>): Response {
  const headers = new Headers({ ...answer.headers, ...noSniffing })
  for (const cookie of answer.cookies ?? []) headers.append('set-cookie', cookie)
  return new Response(answer.body ?? null, { status: answer.status, headers })
}

/**
 * The path of a request's target as it was sent, without its query: neither decoded nor cleaned, so that it is the path
 * that a proxy before us saw. `undefined` when it is no target that a server answers.
 */
export function pathOf(url: string): string | undefined {
  // The absolute form (RFC 9112 §3.2.2); the authority in it is the sender's word and is dropped.
  const authority = /^https?:\/\/(?:\[[\da-f:.]+\]|[^/?#[\]])+/i.exec(url)?.[0] ?? ''
  const target = url.slice(authority.length)
  if (!target.startsWith('/')) return authority === '' ? undefined : '/'
  const query = target.indexOf('?')
  // Stryker disable next-line EqualityOperator: the first character is a slash
  const path = query < 0 ? target : target.slice(0, query)
  return path.includes('#') ? undefined : path // a fragment is never sent
}

export function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError('content_too_large', `The body may have ${maxBytes} bytes at most`)
}
