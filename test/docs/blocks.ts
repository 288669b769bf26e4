// The programs in the documents. A block of TypeScript is one; comments above it say more of it:
// `<!-- continues -->`, that it goes on where the one before it ended, and `<!-- also express 4
// -->`, that it is a program with Express 4 as well.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export const documents: readonly string[] = globSync(
  ['*.md', 'docs/**/*.md', 'bench/*.md', 'packages/*/README.md'],
  { cwd: root },
).toSorted()

export interface Block {
  readonly name: string
  readonly code: string
}

/** Every block, with the blocks that it continues. */
export const blocks: readonly Block[] = documents.flatMap(blocksOf)

/** The blocks that no other block continues. */
export const wholeBlocks: readonly Block[] = blocks.filter(
  ({ code }) => !blocks.some((other) => other.code !== code && other.code.startsWith(code)),
)

/** Names that recipes.test.ts makes a server of, declared at the top level. */
const listens =
  /^(export )?(const|function) (server|app|createApp|createOrdersServer|handle|GET)\b/m

/** The whole blocks that answer requests. */
export const servedBlocks: readonly Block[] = wholeBlocks.filter(({ code }) => listens.test(code))

export const isTest = ({ code }: Block): boolean => code.includes(" from 'node:test'\n")

function blocksOf(file: string): readonly Block[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found: Block[] = []
  const page = file.replace(/^docs\/|\.md$/g, '').replaceAll(/[\\/]/g, '-')
  let whole = ''
  for (const { index, 1: comments = '', 2: code = '' } of text.matchAll(
    /((?:^<!-- [\w ]+ -->\n+)*)^```ts\n(.*?)^```$/gms,
  )) {
    whole = comments.includes('<!-- continues -->') ? `${whole}${code}` : code
    const name = `${page}-${`${text.slice(0, index)}${comments}`.split('\n').length}`
    found.push({ name, code: whole })
    if (!comments.includes('<!-- also express 4 -->')) continue
    const withExpress4 = whole.replace(" from 'express'\n", " from 'express-4'\n")
    assert.notEqual(withExpress4, whole, `${name} does not import Express`)
    found.push({ name: `${name}-express-4`, code: withExpress4 })
  }
  return found
}
