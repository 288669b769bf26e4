/**
 * Shows characters that move a cursor, color a terminal, turn a line round or end it as JSON writes
 * them. Users choose their names and profiles, and whoever runs a command reads them in a terminal
 * or a line at a time.
 */
export function escapeUnseen(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) =>
    found.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

/** The same for text of several lines, in which words may be bold. */
export function escapeLines(text: string): string {
  // oxlint-disable-next-line no-control-regex -- what `bold` of the terminal writes
  const parts = text.split(/(\n|\u001b\[(?:1|22)m)/)
  return parts.map((part, i) => (i % 2 === 0 ? escapeUnseen(part) : part)).join('')
}
