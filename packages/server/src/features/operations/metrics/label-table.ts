// What a counter or a histogram stores for each combination of label values.
import type { Labels } from '../../../feature/metric.ts'

/** A step from one label to the next. The node after the last label has the entry. */
interface Node<Entry> {
  readonly byValue: Map<string, Node<Entry>>
  entry?: Entry
}

interface LabelTable<Entry> {
  get(labels: Labels): Entry
  entries(): readonly { readonly labels: Labels; readonly entry: Entry }[]
}

/** Creates a table that has one entry for each combination of label values. */
export function createLabelTable<Entry>(
  names: readonly string[],
  create: () => Entry,
): LabelTable<Entry> {
  const root: Node<Entry> = { byValue: new Map() }
  const rows: { readonly labels: Labels; readonly entry: Entry }[] = []
  return {
    // Walks a tree instead of joining the label values to one string: every request calls `get()`
    // twice, and each call would leave a string to the garbage collector.
    get(labels) {
      let node = root
      for (const name of names) {
        const value = labels[name] ?? ''
        node = childOf(node, value)
      }
      if (node.entry === undefined) {
        node.entry = create()
        rows.push({ labels, entry: node.entry })
      }
      return node.entry
    },
    entries: () => rows,
  }
}

function childOf<Entry>(node: Node<Entry>, value: string): Node<Entry> {
  const known = node.byValue.get(value)
  if (known) return known

  const child: Node<Entry> = { byValue: new Map() }
  node.byValue.set(value, child)
  return child
}

/**
 * Returns every combination of label values. If there are no labels, returns one empty combination.
 * If a label has no known values, returns no combination.
 */
export function combine(known: Readonly<Record<string, readonly string[]>>): readonly Labels[] {
  return Object.entries(known).reduce<readonly Labels[]>(
    (combined, [name, values]) =>
      combined.flatMap((labels) => values.map((value) => ({ ...labels, [name]: value }))),
    [{}],
  )
}
