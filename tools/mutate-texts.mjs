// Tells StrykerJS which mutants only change texts for people: they break no rule, and a test of each
// sentence would only repeat it.

/** Members of records that only documents and help show. */
const shownMembers = new Set(['doc', 'help', 'summary', 'description', 'demand', 'standard', 'tag'])

/** The expressions in which Stryker changes nothing. */
const names = new Set(['Identifier', 'MemberExpression'])

/** Three words in a row. */
const prose = /[A-Za-z`’'-]+[,;:]? [A-Za-z`’'-]+[,;:]? [A-Za-z`’'-]/

const texts = {
  shouldIgnore({ node, parent }) {
    if (node.type === 'ObjectProperty' && shownMembers.has(node.key.name)) return 'documentation'
    const text = parent?.type === 'TaggedTemplateExpression' ? '' : textOf(node)
    return prose.test(text) || isRecordOfTexts(node) ? 'a text for people' : undefined
  },
}

/** Whether an object has only texts, such as `{ error: 'must be a whole number' }`. */
function isRecordOfTexts({ type, properties }) {
  if (type !== 'ObjectExpression' || properties.length === 0) return false
  return properties.every(({ value }) => value !== undefined && prose.test(textOf(value)))
}

/** Returns the words of a string, or of a template that contains only names. */
function textOf({ type, value, expressions, quasis }) {
  if (type === 'StringLiteral') return value
  const isPlain = type === 'TemplateLiteral' && expressions.every(({ type }) => names.has(type))
  return isPlain ? quasis.map((quasi) => quasi.value.raw).join('x') : ''
}

export const strykerPlugins = [{ kind: 'Ignore', name: 'texts', value: texts }]
