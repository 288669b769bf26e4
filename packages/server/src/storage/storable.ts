/**
 * Whether every database keeps these texts as they are. PostgreSQL refuses a query with U+0000, and drivers send U+FFFD
 * for a lone surrogate, which is another text. So nothing that is stored has such a name, and none is asked for.
 */
export function areStorable(...texts: readonly (string | undefined)[]): boolean {
  return texts.every((text = '') => text.isWellFormed() && !text.includes('\0'))
}
