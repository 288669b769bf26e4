// Parses server-sent events (WHATWG HTML §9.2) from a server that may be faulty.

export interface ServerSentEvent {
  /** The field `event`. Default: `message`. */
  readonly type: string
  /** The lines of the field `data`, joined by line feeds. */
  readonly data: string
  /** The field `id`. `undefined` if this event has no `id`, even if an earlier event had one. */
  readonly id: string | undefined
}

/** The maximum number of characters in one line, and in the data of one event. */
const maxCharacters = 65_536

/**
 * Creates a parser of an event stream. Call it with each chunk of bytes; it passes each complete
 * event to `onEvent`. Like a browser, it ignores comments, unknown fields, `retry`, events without
 * data, and a last event that is not followed by an empty line. It holds at most one line and the
 * data of one event in memory.
 *
 * The parser throws an `Error` if a line or the data of an event has more than 65,536 characters,
 * and a `TypeError` if the stream is not UTF-8. Do not call the parser again after an error. The
 * messages never repeat what the server sent.
 *
 * @see WHATWG HTML §9.2.5 and §9.2.6
 */
export function createEventParser(
  onEvent: (event: ServerSentEvent) => void,
): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = ''
  let endedInReturn = false
  let type = ''
  let data: string | undefined
  let id: string | undefined

  function endLine(): void {
    if (line === '') return endEvent()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')

    if (field === 'event') type = value
    else if (field === 'id') id = value
    else if (field === 'data') data = requireShort(data === undefined ? value : `${data}\n${value}`)
  }

  function endEvent(): void {
    const event = data === undefined ? undefined : { type: type || 'message', data, id }
    type = ''
    data = id = undefined
    if (event) onEvent(event)
  }

  return (chunk) => {
    const text = decoder.decode(chunk, { stream: true })
    // One line end may be split between two chunks.
    const isSecondHalf = endedInReturn && text.startsWith('\n')
    if (text !== '') endedInReturn = text.endsWith('\r')

    const [first = '', ...others] = (isSecondHalf ? text.slice(1) : text).split(/\r\n|\r|\n/)
    line = requireShort(line + first)
    for (const next of others) {
      endLine()
      line = requireShort(next)
    }
  }
}

/** Returns the text. @throws {Error} if a line, or the data of an event, is too long */
function requireShort(text: string): string {
  if (text.length <= maxCharacters) return text
  throw new Error(`a line or an event has more than ${maxCharacters} characters`)
}
