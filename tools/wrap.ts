/**
 * Wraps Markdown text at column 100, but never inside `code`.
 *
 * @param indent the beginning of each line except the first
 */
export function wrap(text: string, indent = ''): string {
  const [first = '', ...words] = text.match(/(?:`[^`]*`|[^` ])+/g) ?? []
  let line = first
  const lines: string[] = []
  for (const word of words) {
    if (line.length + 1 + word.length <= 100) line += ` ${word}`
    else {
      lines.push(line)
      line = indent + word
    }
  }
  return [...lines, line].join('\n')
}
