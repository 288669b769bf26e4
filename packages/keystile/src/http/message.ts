// Requests and answers, independent of any framework.
import { ProblemError } from '../base/errors.ts'

/** A request that is independent of any framework. A guard also accepts a web `Request`. */
export interface HttpRequest {
  readonly method: string
  /** The request target: an absolute URL, or a path with its query. Only the path is used. */
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined }
}

export interface HttpRequestWithBody extends HttpRequest {
  /**
   * The IP address at the other end of the connection, which belongs to the sender or to the last
   * proxy; `unix:` if the connection is a UNIX socket; `undefined` if the platform does not know
   * it. The address must come from the connection, never from a header, because a sender can forge
   * headers.
   */
  readonly remoteAddress?: string | undefined
  /**
   * Reads the whole body.
   *
   * @throws {ProblemError} `content_too_large` as soon as the body is larger than `maxBytes`
   */
  body(maxBytes: number): Promise<Uint8Array>
}

/**
 * Returns the path of a request target, without its query. Does NOT decode or normalize the path,
 * so it is the same path that a proxy in front of the app has checked. With normalization,
 * `/x/../token` could pass a proxy's rule for `/x` and still reach `/token` here.
 * (In the URL of a web `Request`, the platform has already resolved `..`.)
 *
 * @returns `undefined` if the target is neither a path nor an http URL, or if it has a fragment
 */
export function pathOf(url: string): string | undefined {
  // `http://host:8000` or `http://[::1]`: the target may be an absolute URL (RFC 9112 §3.2.2). The
  // sender can write any host, so the host is dropped.
  const authority = /^https?:\/\/(?:\[[\da-f:.]+\]|[^/?#[\]])+/i.exec(url)?.[0]
  const target = authority === undefined ? url : url.slice(authority.length)
  if (!target.startsWith('/')) return authority === undefined ? undefined : '/'

  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  return path.includes('#') ? undefined : path // clients never send a fragment
}

export function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError('content_too_large', `The body must have at most ${maxBytes} bytes`)
}

/**
 * The body of an answer. If many answers have the same body, use bytes: a string would be encoded
 * again for each answer.
 */
export type AnswerBody = string | Uint8Array<ArrayBuffer>

/**
 * A body that is sent piece by piece, for as long as the stream is open. The adapter reads the next
 * piece when the peer has room for it, and cancels the stream when the connection ends. If the
 * stream fails, the adapter cuts the connection, so that the peer sees that the body is incomplete.
 */
export type AnswerStream = ReadableStream<Uint8Array<ArrayBuffer>>

/** Cancels a stream that is not sent, for example because the peer is gone. */
export function cancelStream(stream: Pick<AnswerStream, 'cancel'> | undefined): void {
  stream?.cancel().catch(() => {}) // a stream that has failed rejects
}

/** An answer that is independent of any framework. The adapter of each framework writes it. */
export interface HttpAnswer<Body extends AnswerBody = string> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The values of `Set-Cookie`. Each value needs a header field of its own (RFC 6265 §3). */
  readonly cookies?: readonly string[] | undefined
  readonly body?: Body | undefined
  /** The body of an answer that is sent piece by piece. Such an answer has no member `body`. */
  readonly stream?: AnswerStream | undefined
}

/**
 * The header that stops browsers from guessing a content type. Otherwise a browser could show JSON
 * as a page, and run HTML that an attacker has put into it. Every answer has this header.
 */
export const noSniffing = { 'x-content-type-options': 'nosniff' } as const

export function toResponse(answer: HttpAnswer<AnswerBody>): Response {
  const headers = new Headers({ ...answer.headers, ...noSniffing })
  for (const cookie of answer.cookies ?? []) headers.append('set-cookie', cookie)
  return new Response(answer.stream ?? answer.body ?? null, { status: answer.status, headers })
}
