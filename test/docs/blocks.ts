// The programs in the documents. Each block of TypeScript is a program. Comments above a block
// change it. `<!-- continues -->` adds the block to the program before it. A block with
// `<!-- file routes.ts -->` can be imported by later blocks of the page, as `./routes.ts`.
// `<!-- also express 4 -->` adds the same program with Express 4. Numbers after `ts` are the lines that the site
// highlights. A block inside a comment is a test of the blocks above it, which readers do not see.
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
  /** The part of the code that readers see. */
  readonly shown: string
}

/** All blocks, each with the code of the blocks that it continues. */
export const blocks: readonly Block[] = documents.flatMap(blocksOf)

/** The blocks that no other block continues. */
export const wholeBlocks: readonly Block[] = blocks.filter(
  ({ code }) => !blocks.some((other) => other.code !== code && other.code.startsWith(code)),
)

/** Matches blocks that declare a server or app, from which recipes.test.ts makes a server. */
const declaresApp =
  /^(export )?(const|function) (server|app|createApp|createOrdersServer|handle|GET)\b/m

/** The whole blocks that answer requests. */
export const servedBlocks: readonly Block[] = wholeBlocks.filter(({ code }) =>
  declaresApp.test(code),
)

/** Matches programs that listen. */
export const listens = /\.listen\(|\bserve\(/

export const isTest = ({ code }: Block): boolean => code.includes(" from 'node:test'\n")

function blocksOf(file: string): readonly Block[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found: Block[] = []
  const page = file.replace(/^docs\/|\.md$/g, '').replaceAll(/[\\/]/g, '-')
  const files = new Map<string, string>()
  let whole = ''
  let shown = ''
  for (const { index, 1: comments = '', 2: hidden, 3: code = '' } of text.matchAll(
    /((?:^<!-- [\w .]+ -->\n+)*)^(<!--\n)?```ts(?: {[\d,-]+})?\n(.*?)^```$/gms,
  )) {
    const own = code.replaceAll(
      /(?<= from '\.\/)(\w+)(?=\.ts'$)/gm,
      (_, file: string) => files.get(file) ?? assert.fail(`${page}: no block is ${file}.ts`),
    )
    if (!comments.includes('<!-- continues -->')) whole = shown = ''
    whole += own
    if (hidden === undefined) shown += own
    const line = `${text.slice(0, index)}${comments}`.split('\n').length
    const name = `${page}-${line}`
    const [, named] = /<!-- file (\w+)\.ts -->/.exec(comments) ?? []
    if (named !== undefined) files.set(named, name)
    found.push({ name, code: whole, shown })
    if (!comments.includes('<!-- also express 4 -->')) continue
    const withExpress4 = whole.replace(" from 'express'\n", " from 'express-4'\n")
    assert.notEqual(withExpress4, whole, `${name} does not import Express`)
    found.push({ name: `${name}-express-4`, code: withExpress4, shown })
  }
  return found
}
