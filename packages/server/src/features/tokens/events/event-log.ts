// The revocations that have not expired, in memory, as the bytes that `GET /revocations` sends.
// They are written once; all readers of the log share the bytes.
import type { FeedEvent } from './store.ts'

/** The `id` of a sent event: its number and the id of its row, such as `1205.0199c2…`. */
const sentId = /^(\d{1,15})\.[\w-]{1,64}$/

/** How many bytes a page has. A page is larger only if a single event needs more. */
const pageBytes = 65_536

/**
 * A part of the log. New bytes are only appended, and written bytes never change, so readers may
 * keep views of them.
 */
interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>
  used: number
  lastSeq: number
  /** When the last of its events expires. */
  expiresAt: number
  next: Page | undefined
  /**
   * `kept`: the page is part of the log. `expired`: all events of the page have expired. `lost`:
   * the page belongs to a log that a new log has replaced.
   */
  state: 'kept' | 'expired' | 'lost'
}

/** The pages of a log, in their order. */
interface Chain {
  first: Page
  last: Page
}

export interface LogCursor {
  /**
   * Reads the next events and moves the position behind them.
   *
   * @returns the bytes of whole events; `undefined` at the end of the log; `lost` if a new log has
   *   replaced this log, so the reader must begin again
   */
  next(): Uint8Array<ArrayBuffer> | 'lost' | undefined
}

/** The log of revocations. Its events are in the order of their numbers. */
export interface EventLog {
  /** Returns a position before all events. */
  start(): LogCursor
  /**
   * Returns the position behind an event.
   *
   * @param id the `id` that the event was sent with. It may be any string.
   * @returns undefined if the log has no such event
   */
  after(id: string): LogCursor | undefined
}

export interface WritableEventLog extends EventLog {
  add(event: FeedEvent): void
  /**
   * Starts a new log, to which the caller then adds all events again. Until `show()`, readers get
   * the old log. Otherwise a reader could take the unfinished new log for the whole log.
   */
  startOver(): void
  /**
   * Ends what `startOver()` began: from now on, readers get the new log. A reader with a position
   * in the old log gets `lost`.
   */
  show(): void
  /** Removes the pages whose events have all expired. */
  purge(now: number): void
}

/** Creates an empty log. It has no size limit: a revocation must be known until it expires. */
export function createEventLog(): WritableEventLog {
  let written = createChain()
  /**
   * The log that readers get. Between `startOver()` and `show()`, this is still the old log, and
   * `written` is the new one.
   */
  let shown = written

  function startPage(size: number): Page {
    const page = createPage(Math.max(size, pageBytes))
    written.last.next = page
    written.last = page
    return page
  }

  return {
    add(event) {
      const bytes = Buffer.from(writeEvent(event))
      let page = written.last
      if (page.used + bytes.length > page.bytes.length) page = startPage(bytes.length)
      page.bytes.set(bytes, page.used)
      page.used += bytes.length
      page.lastSeq = event.seq
      page.expiresAt = Math.max(page.expiresAt, event.expiresAt)
    },
    startOver() {
      written = createChain()
    },
    show() {
      if (shown === written) return
      for (const page of pagesFrom(shown.first)) page.state = 'lost'
      shown = written
    },
    purge(now) {
      let before: Page | undefined
      for (const page of pagesFrom(shown.first)) {
        if (page === shown.last || page.expiresAt > now) {
          before = page
          continue
        }
        page.state = 'expired'
        if (before) before.next = page.next
        else shown.first = page.next ?? shown.last
      }
    },
    start: () => createCursor(shown.first, 0),
    after(id) {
      const [, seq] = sentId.exec(id) ?? []
      if (seq === undefined) return undefined

      for (const page of pagesFrom(shown.first)) {
        if (Number(seq) > page.lastSeq) continue
        const end = findEnd(page, id)
        return end === undefined ? undefined : createCursor(page, end)
      }
      return undefined
    },
  }
}

/** Returns a chain of one page without room, because a cursor needs a page. Events add others. */
function createChain(): Chain {
  const page = createPage(0)
  return { first: page, last: page }
}

function createPage(size: number): Page {
  return {
    bytes: new Uint8Array(size),
    used: 0,
    lastSeq: 0,
    expiresAt: 0,
    next: undefined,
    state: 'kept',
  }
}

function* pagesFrom(first: Page): Generator<Page> {
  for (let page: Page | undefined = first; page; page = page.next) yield page
}

/** Writes an event in the format of server-sent events (WHATWG HTML §9.2.6). */
function writeEvent({ seq, id, kind, value, expiresAt }: FeedEvent): string {
  const data = JSON.stringify({ kind, value, expires_at: expiresAt })
  return `event: revocation\n${idLine(`${seq}.${id}`)}data: ${data}\n\n`
}

function idLine(id: string): string {
  return `id: ${id}\n`
}

/** Returns the offset in the page at which the event with this id ends. */
function findEnd({ bytes, used }: Page, id: string): number | undefined {
  const written = Buffer.from(bytes.buffer, 0, used)
  const at = written.indexOf(`\n${idLine(id)}`)
  return at < 0 ? undefined : written.indexOf('\n\n', at) + 2
}

function createCursor(start: Page, from: number): LogCursor {
  let page = start
  let offset = from
  return {
    next() {
      while (page.next && (offset === page.used || page.state === 'expired')) {
        page = page.next
        offset = 0
      }
      if (page.state === 'lost') return 'lost'
      if (offset === page.used) return undefined

      const bytes = page.bytes.subarray(offset, page.used)
      offset = page.used
      return bytes
    },
  }
}
