/**
 * Escapes invisible characters as JSON does. Such characters move the cursor, change colors,
 * reverse the direction of text or end a line. Users choose their names and profiles. Without
 * escapes, a user could hide or forge lines in the terminal of an operator, or in a program that
 * reads lines.
 */
export function escapeUnseen(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) =>
    found.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

/**
 * Escapes invisible characters as `escapeUnseen` does, except line feeds and the codes of bold
 * text.
 */
export function escapeLines(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the terminal's `bold` writes these codes
  const parts = text.split(/(\n|\u001b\[(?:1|22)m)/)
  return parts.map((part, i) => (i % 2 === 0 ? escapeUnseen(part) : part)).join('')
}
