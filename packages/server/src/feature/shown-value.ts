/**
 * The largest number of characters of a value that a message shows. That is enough to recognise the
 * value, and short enough for one line of a terminal.
 */
const maxShownLength = 80

/**
 * Returns a value as a message may show it: escaped, at most 80 characters long, and without the
 * user name, password, query and fragment of a URL. Does NOT recognise secrets: never pass the
 * value of a secret setting.
 */
export function show(value: unknown): string {
  return typeof value === 'string' ? showTyped(withoutCredentials(value)) : clip(String(value))
}

/** Like `show()`, but keeps all of a URL. Only for a text that has no password. */
export function showTyped(text: string): string {
  return `"${clip(text)}"`
}

function clip(text: string): string {
  const printable = text.replace(
    /[^\x20-\x7e…]/gu,
    (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`,
  )
  const isLong = printable.length > maxShownLength - '""'.length
  return isLong ? `${printable.slice(0, maxShownLength - '""…'.length)}…` : printable
}

/**
 * Removes the user name, password, query and fragment of a URL. If a string looks like a URL but is
 * not valid, a password may be anywhere in the string, so this function returns only the scheme.
 */
function withoutCredentials(text: string): string {
  if (!/[@?#]|:\/\//.test(text)) return text

  const scheme = /^[a-z][a-z\d+.-]*:(?:\/\/)?/i.exec(text)?.[0] ?? ''
  if (!URL.canParse(text)) return `${scheme}…`

  const { protocol, host, pathname } = new URL(text)
  if (pathname.includes('@')) return `${scheme}…`

  // `URL` adds the path `/`, and `//` after `https:`, where the text has none.
  const endsInSlash = /[^/]\/(?:[?#]|$)/.test(text)
  const path = pathname === '/' && !endsInSlash ? '' : pathname
  const slashes = text.includes('://') ? '//' : ''
  return `${protocol}${slashes}${host}${path}`
}
