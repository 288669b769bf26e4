import { stripTypeScriptTypes } from 'node:module'
import { isOpener, operandBefore, operandFrom, tokensOf, type Token } from './mutate-tokens.ts'

/** One small change of a source, which some test should notice. */
export interface Mutant {
  readonly line: number
  /** The line as it stands in the source, without its indentation. */
  readonly text: string
  /** What is changed, in words. */
  readonly mutation: string
  readonly start: number
  readonly end: number
  readonly replacement: string
}

type Draft = Omit<Mutant, 'line' | 'text'>
type Rule = (source: string, tokens: readonly Token[], at: number) => readonly Draft[]

const assignments = '= += -= *= ||= &&= ??= => : , ; return throw yield default of ...'.split(' ')
const stopsOfTernary = new Set([...assignments, '?'])
const stopsOfOr = new Set([...stopsOfTernary, '??', '||'])
const stopsOfAnd = new Set([...stopsOfOr, '&&'])
const endOfOperand = new Set([...stopsOfAnd, ...'< <= > >= === !== == !='.split(' ')])
const endOfExpression = new Set([';', ','])
const endOfStatement = new Set([';'])

/** Each with what it becomes. */
const comparisons: ReadonlyMap<string, string> = new Map(
  ['< <=', '<= <', '> >=', '>= >', '=== !==', '!== ===', '== !=', '!= =='].map(
    (pair) => pair.split(' ') as [string, string],
  ),
)
const booleans: ReadonlyMap<string, string> = new Map([
  ['true', 'false'],
  ['false', 'true'],
])
const quantifiers: ReadonlyMap<string, string> = new Map([
  ['every', 'some'],
  ['some', 'every'],
])

/**
 * All mutants of a source: each refusal dropped (a `throw`, an early `return` of nothing, a call of a function whose name
 * begins with check, require or refuse), each condition negated, each comparison shifted, each operand of `&&` and `||` taken
 * away, each boolean turned round, each limit one more and one less. Only code is changed, and a change after which the
 * source does not parse is none.
 */
export function mutantsOf(source: string): readonly Mutant[] {
  const tokens = tokensOf(source)
  const found = new Map<string, Mutant>()
  for (let at = 0; at < tokens.length; at++) {
    for (const draft of rules.flatMap((rule) => rule(source, tokens, at))) {
      const start = tokens[at]!.start
      const lineStart = source.lastIndexOf('\n', start) + 1
      const mutant = {
        ...draft,
        line: source.slice(0, start).split('\n').length,
        text: source.slice(lineStart, source.indexOf('\n', start)).trim(),
      }
      const key = `${draft.start} ${draft.end} ${draft.replacement}`
      if (!found.has(key) && parses(applyMutant(source, mutant))) found.set(key, mutant)
    }
  }
  return [...found.values()]
}

export function applyMutant(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end)
}

function parses(source: string): boolean {
  try {
    stripTypeScriptTypes(source)
    return true
  } catch {
    return false
  }
}

const dropRefusals: Rule = (source, tokens, at) => {
  const [word, next] = [tokens[at]!, tokens[at + 1]]
  const drop = (last: number, what: string): readonly Draft[] => [
    { start: word.start, end: tokens[last]!.end, replacement: ';', mutation: `dropped: ${what}` },
  ]
  if (word.text === 'throw') return drop(operandFrom(tokens, at + 1, endOfStatement), 'throw')
  if (word.text === 'return' && next) {
    const isBare = next.text === '}' || source.slice(word.end, next.start).includes('\n')
    if (isBare) return endsFunction(tokens, at) ? [] : drop(at, 'return')
    const last = operandFrom(tokens, at + 1, endOfStatement)
    const value = shorten(source.slice(next.start, tokens[last]!.end))
    const isRefusal = value === 'undefined' || value === 'false' || value.startsWith('Promise.reject(')
    return isRefusal && !endsFunction(tokens, last) ? drop(last, shorten(`return ${value}`)) : []
  }
  if (/^(check|require|refuse)/.test(word.text) && next?.text === '(' && isStatement(source, tokens, at)) {
    return drop(operandFrom(tokens, at, endOfStatement), `${word.text}(…)`)
  }
  return []
}

const negateConditions: Rule = (source, tokens, at) => {
  const { text } = tokens[at]!
  const negate = (first: number, last: number): readonly Draft[] => {
    if (isNegatedByOtherRules(tokens, first, last)) return []
    const [start, end] = [tokens[first]!.start, tokens[last]!.end]
    const condition = source.slice(start, end)
    return [{ start, end, replacement: `!(${condition})`, mutation: `negated: ${shorten(condition)}` }]
  }
  if ((text === 'if' || text === 'while') && tokens[at + 1]?.text === '(') {
    return negate(at + 2, tokens[at + 1]!.partner! - 1)
  }
  if (text === '?') return negate(operandBefore(tokens, at, stopsOfTernary), at - 1)
  if (text === '=>' && isPredicate(tokens, at)) return negate(at + 1, operandFrom(tokens, at + 1, endOfExpression))
  if (text === '!') {
    const operand = source.slice(tokens[at + 1]!.start, tokens[operandFrom(tokens, at + 1, endOfOperand)]!.end)
    const mutation = `dropped: ! of ${shorten(operand)}`
    return [{ start: tokens[at]!.start, end: tokens[at]!.end, replacement: '', mutation }]
  }
  return []
}

const shiftComparisons: Rule = (source, tokens, at) => {
  const { text, start, end } = tokens[at]!
  const other = comparisons.get(text)
  if (!other) return []
  const first = tokens[operandBefore(tokens, at, stopsOfAnd)]!.start
  const last = tokens[operandFrom(tokens, at + 1, stopsOfAnd)]!.end
  return [{ start, end, replacement: other, mutation: `${other} in: ${shorten(source.slice(first, last))}` }]
}

const dropOperands: Rule = (source, tokens, at) => {
  const { text } = tokens[at]!
  if (text !== '&&' && text !== '||') return []
  const stops = text === '&&' ? stopsOfAnd : stopsOfOr
  const first = operandBefore(tokens, at, stops)
  const last = operandFrom(tokens, at + 1, stops)
  const [left, right] = [tokens[first]!.start, tokens[at + 1]!.start]
  const [leftEnd, rightEnd] = [tokens[at - 1]!.end, tokens[last]!.end]
  const without = (start: number, end: number, operand: string): Draft => ({
    start,
    end,
    replacement: '',
    mutation: `dropped: ${shorten(operand)}`,
  })
  const isFirstOfChain = tokens[first - 1]?.text !== text
  return [
    ...(isFirstOfChain ? [without(left, right, source.slice(left, leftEnd))] : []),
    without(leftEnd, rightEnd, source.slice(right, rightEnd)),
  ]
}

const turnWords: Rule = (_source, tokens, at) => {
  const { text, start, end } = tokens[at]!
  const other = (tokens[at - 1]?.text === '.' ? quantifiers : booleans).get(text)
  return other ? [{ start, end, replacement: other, mutation: `${text} becomes ${other}` }] : []
}

/**
 * Numbers that have a name, but for `status`, which is no limit; and numbers from 2 on that something is compared with:
 * around 0 and 1 the shift says the same.
 */
const moveLimits: Rule = (source, tokens, at) => {
  const { text, start, end } = tokens[at]!
  if (!/^\d[\d_]*n?$/.test(text)) return []
  const [first, name, before] = [at - 3, at - 2, at - 1].map((place) => tokens[place]?.text ?? '')
  const value = BigInt(text.replace('n', '').replaceAll('_', ''))
  const isMember = before === ':' && (first === '{' || first === ',')
  const isNamed =
    name !== 'status' &&
    (before === '=' || isMember) &&
    /^[A-Za-z_$]/.test(name!) &&
    /^\s*([,})]|$)/m.test(source.slice(end))
  const isCompared = value > 1n && (comparisons.has(before!) || comparisons.has(tokens[at + 1]?.text ?? ''))
  if (!isNamed && !isCompared) return []
  const suffix = text.endsWith('n') ? 'n' : ''
  return [value - 1n, value + 1n]
    .filter((other) => other >= 0n)
    .map((other) => ({ start, end, replacement: `${other}${suffix}`, mutation: `${text} becomes ${other}${suffix}` }))
}

const rules: readonly Rule[] = [dropRefusals, negateConditions, shiftComparisons, dropOperands, turnWords, moveLimits]

function isStatement(source: string, tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1]
  if (!before) return true
  const startsLine = source.slice(before.end, tokens[at]!.start).includes('\n')
  return startsLine && !/^(?:[^\w$'"`)\]}{;]+|await|return|const|=>)$/.test(before.text)
}

/** Whether nothing but closing braces follows in its function, so that dropping a return of nothing changes nothing. */
function endsFunction(tokens: readonly Token[], last: number): boolean {
  for (let at = last + 1; tokens[at]?.text === '}'; at++) {
    const opener = tokens[at]!.partner!
    if (tokens[opener - 1]?.text === '=>') return true
    if (tokens[opener - 1]?.text !== ')') continue
    const word = tokens[tokens[opener - 1]!.partner! - 1]?.text ?? ''
    if (word === 'for' || word === 'while') return false
    if (!['if', 'switch', 'catch'].includes(word)) return true
  }
  return false
}

/** A condition that is one comparison or one `!`, or whose operands say it all, is negated by another rule. */
function isNegatedByOtherRules(tokens: readonly Token[], first: number, last: number): boolean {
  let [equalities, others] = [0, 0]
  for (let at = first; at <= last; at++) {
    const { text } = tokens[at]!
    if (text === '===' || text === '!==') equalities++
    if (['&&', '||', '??', '?', '<', '<=', '>', '>='].includes(text)) others++
    if (isOpener(tokens, at)) at = tokens[at]!.partner!
  }
  return others === 0 && (equalities === 1 || (equalities === 0 && tokens[first]!.text === '!'))
}

/** `(x) => …` given to a method that asks it a question. */
function isPredicate(tokens: readonly Token[], arrow: number): boolean {
  if (tokens[arrow + 1]?.text === '{') return false
  const parameters = tokens[arrow - 1]?.partner ?? arrow - 1
  return (
    tokens[parameters - 1]?.text === '(' &&
    /^(every|filter|find|findIndex|some)$/.test(tokens[parameters - 2]?.text ?? '') &&
    tokens[parameters - 3]?.text === '.'
  )
}

function shorten(code: string): string {
  const line = code.replaceAll(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}
