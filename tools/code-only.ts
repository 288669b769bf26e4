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
 * Returns the source with the contents of comments, strings, templates and regular expressions
 * blanked. Everything else stays at its place: a match in the result has the same index in the
 * source. The quotes of strings stay; the code inside `${…}` stays.
 *
 * Does NOT parse: it takes a regular expression right after `)` or `}` for a division. After such a
 * mistake, a string or comment may seem to have no end. It then throws, so that the caller gets no
 * text that was read wrongly.
 *
 * @throws Error that names the line where a string, template or comment starts that has no end
 */
export function codeOnly(source: string): string {
  const out = source.split('')
  // For each template being read: how many braces are open in its current `${…}`.
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
  /** Reads from after a backtick or a `}` to the closing backtick, or into the next `${`. */
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
