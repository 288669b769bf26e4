// One connection to the revocation feed of an issuer.
import { createEventParser, type ServerSentEvent } from '../http/event-stream.ts'
import { isRedirect, type Fetch } from '../http/fetch-json.ts'

/**
 * How long a connection may be silent before it counts as lost. The issuer sends an event each
 * second.
 */
const maxSilenceMilliseconds = 4_000

export interface FeedLocation {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly fetch: Fetch
}

/** An open connection, or one that is being opened. */
export interface FeedStream {
  /** The time of `performance.now()` right before the request was sent. */
  readonly openedAt: number
  /** Ends the connection. `onEnd` gets the reason. */
  close(reason: Error): void
}

/**
 * Connects to a feed and passes its events to `onEvent`. When the connection ends, calls `onEnd`
 * once with the reason, and never calls `onEvent` after that. The connection also ends if nothing
 * arrives for four seconds, if `onEvent` throws, and if a line is too long.
 *
 * @param lastEventId the id of the last revocation that an earlier connection has passed on
 */
export function openFeedStream(
  location: FeedLocation,
  lastEventId: string | undefined,
  handlers: {
    onEvent(event: ServerSentEvent): void
    onEnd(reason: Error): void
  },
): FeedStream {
  const openedAt = performance.now()
  const controller = new AbortController()
  const { signal } = controller
  const close = (reason: Error): void => controller.abort(reason)
  const silence = createSilenceWatch(close)

  async function read(): Promise<never> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
    const response = await Promise.race([request(location, lastEventId, signal), aborted])
    silence.restart()
    const reader = readerOf(response, location)
    // Ends a pending `read`, even if the body ignores the signal of its fetch.
    signal.addEventListener('abort', () => void reader.cancel(signal.reason).catch(() => {}))

    const parse = createEventParser((event) => {
      if (!signal.aborted) handlers.onEvent(event)
    })
    while (true) {
      const { done, value } = await reader.read()
      if (done) throw new Error(`${location.url} ended the connection`)
      silence.restart()
      parse(value)
    }
  }

  void read().catch((error: unknown) => {
    silence.stop()
    const reason: Error = signal.aborted ? signal.reason : errorOf(error, location)
    close(reason)
    handlers.onEnd(reason)
  })
  return { openedAt, close }
}

/**
 * Returns `thrown` if it is an `Error`, otherwise a new `Error`. The app can supply its own
 * `fetch`, and reading its response may throw a value that is not an `Error`.
 */
function errorOf(thrown: unknown, { url }: FeedLocation): Error {
  if (thrown instanceof Error) return thrown
  return new Error(`the connection to ${url} failed`, { cause: thrown })
}

/** Calls `onSilence` when nothing has arrived for four seconds. */
function createSilenceWatch(onSilence: (reason: Error) => void): {
  /** Called when something has arrived. */
  restart(): void
  stop(): void
} {
  let timer: ReturnType<typeof setTimeout>
  function watch(): void {
    timer = setTimeout(() => {
      onSilence(new Error(`nothing arrived for ${maxSilenceMilliseconds} ms`))
    }, maxSilenceMilliseconds)
    // This timer alone must not keep a process running. In Deno, a timer is a number.
    timer.unref?.()
  }
  watch()

  return {
    restart() {
      clearTimeout(timer)
      watch()
    },
    stop: () => clearTimeout(timer),
  }
}

/** @throws {Error} if there is no answer */
async function request(
  { url, clientId, clientSecret, fetch }: FeedLocation,
  lastEventId: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  // RFC 6749 §2.3.1 encodes both halves before they are joined.
  const credential = [clientId, clientSecret].map(encodeURIComponent).join(':')
  const init = {
    headers: {
      accept: 'text/event-stream',
      authorization: `Basic ${btoa(credential)}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
    redirect: 'manual', // the target of a redirect must not get the secret
    cache: 'no-store',
    signal,
  } as const
  return fetch(url, init).catch((cause: unknown) => {
    throw new Error(`${url} cannot be reached`, { cause })
  })
}

/**
 * Returns the reader of the body.
 *
 * @throws {Error} if the answer is not an event stream. The message says what to do
 */
function readerOf(
  response: Response,
  { url, clientId }: FeedLocation,
): ReadableStreamDefaultReader<Uint8Array> {
  const { status, headers, body } = response
  const isStream = /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
  if (status === 200 && !isRedirect(response) && isStream && body) return body.getReader()

  void body?.cancel().catch(() => {})
  throw new Error(`${url} ${faultOf(response, clientId)}`)
}

/**
 * Says what is wrong with an answer that is not an event stream. The text continues a sentence that
 * begins with the URL.
 */
function faultOf(response: Response, clientId: string): string {
  const { status } = response
  const create = 'create a client with `keystile client create NAME --may revocations`'
  if (isRedirect(response)) return 'redirects; configure the final URL of the issuer instead'
  if (status === 401) {
    return (
      `does not know the client ${clientId}, or its secret is wrong. ` +
      `Fix: correct clientId and clientSecret, or ${create}`
    )
  }
  if (status === 403) return `does not allow the client ${clientId} to read it. Fix: ${create}`
  if (status === 404) return 'does not exist: the issuer must be a Keystile server with this path'
  return status === 200 ? 'must answer with text/event-stream' : `answered ${status} instead of 200`
}
