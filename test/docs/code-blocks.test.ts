// Each block of TypeScript in the documents is a program: it is compiled as it stands, and run. `<!-- continues -->` above
// one says that it goes on where the one before it ended.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

interface Block {
  readonly name: string
  readonly code: string
}

/** The programs of a document. */
function blocksOf(file: string): readonly Block[] {
  const text = readFileSync(join(root, file), 'utf8')
  const blocks: Block[] = []
  for (const { index, 1: code = '' } of text.matchAll(/^```ts\n(.*?)^```$/gms)) {
    const continues = text.slice(0, index).trimEnd().endsWith('<!-- continues -->')
    const line = text.slice(0, index).split('\n').length
    const before = continues ? (blocks.at(-1)?.code ?? '') : ''
    blocks.push({ name: `${basename(file, '.md')}-${line}`, code: `${before}${code}` })
  }
  return blocks
}

const documents = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root }).toSorted()
const blocks = documents.flatMap(blocksOf)

describe('the documents', () => {
  let folder: string
  before(() => {
    // Inside the repository, where the packages are found by their names.
    folder = mkdtempSync(join(import.meta.dirname, 'blocks-'))
    for (const { name, code } of blocks) writeFileSync(join(folder, `${name}.ts`), `${code}\nexport {}\n`)
    // A program that serves would not end: it is loaded, then ended.
    const load = `await import(process.argv[2])\nsetTimeout(() => process.exit(0), 50)\n`
    writeFileSync(join(folder, 'load.mjs'), load)
    const options = { extends: '../../../tsconfig.json', include: ['.'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('hold programs', () => assert.ok(blocks.length >= 4, String(blocks.length)))

  it('compile, every block of them', async () => {
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]).catch(
      ({ stdout }: { stdout: string }) => assert.fail(stdout),
    )
  })

  for (const { name } of blocks) {
    it(`run: ${name}`, async () => {
      const cwd = join(folder, `cwd-${name}`)
      mkdirSync(cwd)
      const args = ['--conditions=source', join(folder, 'load.mjs'), join(folder, `${name}.ts`)]
      await run(process.execPath, args, { cwd, timeout: 30_000 })
    })
  }

  it('show the example of the README as it is', () => {
    const example = readFileSync(join(root, 'examples/hono/app.ts'), 'utf8').replace(/^\/\/.*\n/, '')
    assert.ok(readFileSync(join(root, 'README.md'), 'utf8').includes(`\`\`\`ts\n${example}\`\`\``))
  })

  it('name only files and scripts that are there', () => {
    const scripts = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts)
    for (const document of documents) {
      const text = readFileSync(join(root, document), 'utf8')
      for (const [, path = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        assert.ok(globSync(path, { cwd: join(root, document, '..') }).length > 0, `${document}: ${path}`)
      }
      for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/g))
        assert.ok(scripts.includes(script), `${document}: ${script}`)
    }
  })
})
