// TypeScript 7 offers scripts no parser, so the room check reads text. This file removes what is
// not code.

/**
 * A `/` after one of these words starts a regular expression. After any other word it is a
 * division.
 */
const wordsBeforeRegex = new Set(
  (
    'await case default delete do else export extends in instanceof new of return throw typeof ' +
    'void yield'
  ).split(' '),
)

/**
 * Returns the source, with spaces instead of the contents of comments, strings, templates and
 * regular expressions. Everything else stays at its place: a match in the result has the same index
 * in the source. The quotes of strings and the code inside `${…}` also stay.
 *
 * Does NOT parse. This function reads a regular expression directly after `)` or `}` as a division.
 * After such a mistake, a string or comment may seem to have no end. The function then throws, so
 * that the caller never gets wrong text.
 *
 * @throws {Error} if a string, template or comment has no end. The message names the line where it
 *   starts.
 */
export function codeOnly(source: string): string {
  const out = source.split('')
  // The templates that are being read, from outside to inside. Each entry is the number of open
  // braces inside the current `${…}` of a template.
  const templates: number[] = []
  let lastToken = ''
  let at = 0

  const blank = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' '
  }
  const fail = (what: string, start: number): never => {
    throw new Error(`line ${source.slice(0, start).split('\n').length}: ${what} without an end`)
  }
  const endOf = (pattern: RegExp, from: number, what: string): number => {
    pattern.lastIndex = from
    const found = pattern.exec(source)
    return found ? found.index + found[0].length : fail(what, from)
  }
  /**
   * Reads the text of a template, until after the closing backtick or the next `${`. `from` is the
   * index after the opening backtick, or after the `}` of the last `${…}`.
   */
  const readTemplate = (from: number): number => {
    const end = endOf(/(?:[^\\`$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y, from, 'a template')
    const closed = source[end - 1] === '`'
    blank(from, end - (closed ? 1 : 2))
    if (!closed) templates.push(0)
    lastToken = closed ? '`' : '{'
    return end
  }

  while (at < source.length) {
    const start = at
    const char = source[at]!
    const two = source.slice(at, at + 2)
    if (two === '//') {
      at = endOf(/[^\n]*/y, at, 'a comment')
      blank(start, at)
    } else if (two === '/*') {
      at = endOf(/\/\*[^]*?\*\//y, at, 'a comment')
      blank(start, at)
    } else if (char === "'" || char === '"') {
      at = endOf(char === "'" ? /'(?:[^'\\\n]|\\[^])*'/y : /"(?:[^"\\\n]|\\[^])*"/y, at, 'a string')
      blank(start + 1, at - 1)
      lastToken = char
    } else if (char === '`') {
      at = readTemplate(at + 1)
    } else if (char === '/' && startsRegex(lastToken)) {
      at = endOf(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y, at, 'a regular expression')
      blank(start + 1, at)
      lastToken = ')'
    } else if (char === '}' && templates.at(-1) === 0) {
      templates.pop()
      at = readTemplate(at + 1)
    } else if (/[\w$]/.test(char)) {
      at = endOf(/[\w$]+/y, at, 'a word')
      lastToken = source.slice(start, at)
    } else {
      at++
      if (templates.length > 0 && char === '{') templates[templates.length - 1]!++
      if (templates.length > 0 && char === '}') templates[templates.length - 1]!--
      if (!/\s/.test(char)) lastToken = char
    }
  }
  if (templates.length > 0) fail('a template', source.length)
  return out.join('')
}

function startsRegex(lastToken: string): boolean {
  return wordsBeforeRegex.has(lastToken) || !/^(?:[\w$]+|[)\]}'"`])$/.test(lastToken)
}
