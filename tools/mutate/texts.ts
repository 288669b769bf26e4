// Finds the mutants that only change texts for people: they break no rule, and a test of each
// sentence would only repeat it.

/** What this file reads of a node of Babel's syntax tree. */
interface Node {
  readonly type: string
  readonly key?: unknown
  readonly value?: unknown
  readonly properties?: unknown
  readonly expressions?: unknown
  readonly quasis?: unknown
  readonly tag?: { readonly name?: string }
}

/** A node and its parent, as Stryker passes them. */
export interface Path {
  readonly node: Node
  readonly parent?: Node | null
}

/** Members of records that only documents and help show. */
const shownMembers = new Set(['doc', 'help', 'summary', 'description', 'demand', 'standard', 'tag'])

/** The expressions in which Stryker changes nothing. */
const names = new Set(['Identifier', 'MemberExpression'])

/** Three words in a row. */
const prose = /[\p{L}`’'-]+[,;:]? [\p{L}`’'-]+[,;:]? [\p{L}`’'-]/u

/** Texts for programs that look like prose: SQL, and values of headers. */
const code =
  /^(?:begin|create (?:or replace|trigger)|pragma|select|set local) |; HttpOnly|\b[a-z]+-src '/

/** Returns why Stryker must leave out the mutants of a node. Undefined if it must not. */
export function whyIgnored({ node, parent }: Path): string | undefined {
  const member = node.type === 'ObjectProperty' && (node.key as { readonly name?: string }).name
  if (member && shownMembers.has(member)) return 'documentation'
  const isTagged = parent?.type === 'TaggedTemplateExpression' && parent.tag?.name !== 'prose'
  const text = isTagged ? '' : textOf(node)
  return isProse(text) || isRecordOfTexts(node) ? 'a text for people' : undefined
}

function isProse(text: string): boolean {
  return prose.test(text) && !code.test(text)
}

/** Whether an object has only texts, such as `{ error: 'must be a whole number' }`. */
function isRecordOfTexts({ type, properties }: Node): boolean {
  const members = (properties ?? []) as readonly { readonly value?: Node | null }[]
  if (type !== 'ObjectExpression' || members.length === 0) return false
  return members.every(({ value }) => value != null && isProse(textOf(value)))
}

/** Returns the words of a string, or of a template that contains only names. */
function textOf({ type, value, expressions, quasis }: Node): string {
  if (type === 'StringLiteral') return String(value)
  if (type !== 'TemplateLiteral') return ''
  if (!(expressions as readonly Node[]).every(({ type }) => names.has(type))) return ''
  const parts = quasis as readonly { readonly value: { readonly raw: string } }[]
  return parts.map((part) => part.value.raw).join('x')
}
