import { ProblemError } from '../base/errors.ts'

/** A request as every framework's adapter passes it on. For a guard, a web `Request` will do. */
export interface HttpRequest {
  readonly method: string
  /** The target: an absolute URL, or a path with its query. Only the path is used. */
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined }
}

/** A request whose body can be read too. */
export interface HttpRequestWithBody extends HttpRequest {
  /**
   * The IP address of the peer, if the platform knows it: the sender or a proxy. From no header.
   */
  readonly remoteAddress?: string | undefined
  /**
   * Reads all bytes of the body.
   *
   * @throws {ProblemError} `content_too_large` as soon as there are more than `maxBytes`
   */
  body(maxBytes: number): Promise<Uint8Array>
}

/** Bytes for a body that many requests share: text would be encoded and kept for each of them. */
export type AnswerBody = string | Uint8Array<ArrayBuffer>

/** An answer before a framework's adapter writes it. */
export interface HttpAnswer<Body extends AnswerBody = string> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Values of `Set-Cookie`, the one field whose values must not be joined (RFC 6265 §3). */
  readonly cookies?: readonly string[] | undefined
  readonly body?: Body | undefined
}

/** Stops browsers from guessing another type than `Content-Type`. Every answer has this header. */
export const noSniffing = { 'x-content-type-options': 'nosniff' } as const

export function toResponse(answer: HttpAnswer<AnswerBody>): Response {
  const headers = new Headers({ ...answer.headers, ...noSniffing })
  for (const cookie of answer.cookies ?? []) headers.append('set-cookie', cookie)
  return new Response(answer.body ?? null, { status: answer.status, headers })
}

/**
 * Returns the path of a request's target as it was sent, without its query. It is neither decoded
 * nor cleaned, so a proxy saw the same path. Returns `undefined` for a target that no server
 * answers.
 */
export function pathOf(url: string): string | undefined {
  // The absolute form (RFC 9112 §3.2.2). Its authority is unproved and is dropped.
  const authority = /^https?:\/\/(?:\[[\da-f:.]+\]|[^/?#[\]])+/i.exec(url)?.[0]
  const target = authority === undefined ? url : url.slice(authority.length)
  if (!target.startsWith('/')) return authority === undefined ? undefined : '/'
  const query = target.indexOf('?')
  // Stryker disable next-line EqualityOperator: the first character is a slash
  const path = query < 0 ? target : target.slice(0, query)
  return path.includes('#') ? undefined : path // a fragment is never sent
}

export function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError('content_too_large', `The body may have ${maxBytes} bytes at most`)
}
