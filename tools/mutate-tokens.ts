import { stripTypeScriptTypes } from 'node:module'
import { codeOnly } from './code-only.ts'

/** A word, a number, a string with its quotes, or a mark. */
export interface Token {
  readonly text: string
  readonly start: number
  readonly end: number
  /** Of a bracket or a backtick: the index of the other one. */
  readonly partner?: number
}

const pattern =
  /\d[\w.]*|[\w$#]+|'[^']*'|"[^"]*"|>>>=|<<=|>>=|\*\*=|&&=|\|\|=|\?\?=|\.\.\.|===|!==|>>>|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|[-+*/%&|^]=|<<|>>|\*\*|\$\{|\S/g
const closers: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
  ['${', '}'],
  ['`', '`'],
])

/** Words after which an expression goes on, or begins. */
const leadingWords = new Set(
  'async await case const default delete do else export extends if in instanceof let new of return throw typeof void while yield'.split(
    ' ',
  ),
)
const infixWords = new Set(['in', 'instanceof', 'of'])

/**
 * Cuts the code of a TypeScript source into tokens, each at its place in the source. Types, comments, and the contents of
 * strings, templates and regular expressions are not among them.
 *
 * @throws {Error} where the source is no TypeScript, or its brackets do not match
 */
export function tokensOf(source: string): readonly Token[] {
  const code = codeOnly(stripTypeScriptTypes(source))
  if (code.length !== source.length) throw new Error('without its types, the code is no longer at its place')
  const tokens = [...code.matchAll(pattern)].map(({ 0: text, index }) => ({
    text,
    start: index,
    end: index + text.length,
  }))
  const partners = new Map<number, number>()
  const open: number[] = []
  for (const [at, { text }] of tokens.entries()) {
    const opener = open.at(-1)
    if (opener !== undefined && closers.get(tokens[opener]!.text) === text) {
      open.pop()
      partners.set(opener, at).set(at, opener)
    } else if (closers.has(text)) {
      open.push(at)
    } else if (/^[)\]}]$/.test(text)) {
      throw new Error(`line ${source.slice(0, tokens[at]!.start).split('\n').length}: ${text} closes nothing`)
    }
  }
  if (open.length > 0) throw new Error('a bracket is not closed')
  return tokens.map((token, at) => (partners.has(at) ? { ...token, partner: partners.get(at)! } : token))
}

export function isOpener(tokens: readonly Token[], at: number): boolean {
  return (tokens[at]?.partner ?? -1) > at
}

export function isCloser(tokens: readonly Token[], at: number): boolean {
  return (tokens[at]?.partner ?? at) < at
}

/** The first token of the operand that ends right before `at`: it does not reach over one of the stops. */
export function operandBefore(tokens: readonly Token[], at: number, stops: ReadonlySet<string>): number {
  let first = at - 1
  for (;;) {
    if (isCloser(tokens, first)) first = tokens[first]!.partner!
    const before = first - 1
    if (before < 0 || isOpener(tokens, before) || stops.has(tokens[before]!.text) || isSeam(tokens, before))
      return first
    first = before
  }
}

/** The last token of the operand that begins at `at`. */
export function operandFrom(tokens: readonly Token[], at: number, stops: ReadonlySet<string>): number {
  let last = at
  for (;;) {
    if (isOpener(tokens, last)) last = tokens[last]!.partner!
    const after = last + 1
    if (after >= tokens.length || isCloser(tokens, after) || stops.has(tokens[after]!.text)) return last
    if (isSeam(tokens, last)) return last
    last = after
  }
}

/** Whether a statement ends between this token and the next: two operands stand side by side. */
function isSeam(tokens: readonly Token[], at: number): boolean {
  const [one, two] = [tokens[at]!, tokens[at + 1]!]
  const ends = /^[\w$'"]/.test(one.text) ? !leadingWords.has(one.text) : isCloser(tokens, at)
  const begins = /^[\w$'"]/.test(two.text) ? !infixWords.has(two.text) : ['!', '~', '{'].includes(two.text)
  return ends && begins
}
