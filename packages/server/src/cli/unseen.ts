/**
 * Escapes invisible characters as JSON does: those that move the cursor, change colors, reverse the
 * direction of text or end a line. Users choose their names and profiles. Without this, they could
 * hide or forge lines in the terminal of an operator, or in a program that reads lines.
 */
export function escapeUnseen(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) =>
    found.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

/** Does the same for text with several lines and bold words, which stay as they are. */
export function escapeLines(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the terminal's `bold` writes these
  const parts = text.split(/(\n|\u001b\[(?:1|22)m)/)
  return parts.map((part, i) => (i % 2 === 0 ? escapeUnseen(part) : part)).join('')
}
