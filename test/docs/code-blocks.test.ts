// Each block of TypeScript in the documents is a program: it is compiled unchanged and runs in its
// own process. A program that imports node:test is a test and must pass; recipes.test.ts runs the
// programs that answer requests. Code that shows other libraries is JavaScript or Python and is not
// run.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { blocks, documents, isTest, root, servedBlocks, wholeBlocks } from './blocks.ts'

const run = promisify(execFile)

describe('the programs in the documents', () => {
  let folder: string
  before(() => {
    // Inside the repository, so that the names of the packages resolve.
    folder = mkdtempSync(join(import.meta.dirname, 'blocks-'))
    for (const { name, code } of blocks)
      writeFileSync(join(folder, `${name}.ts`), `${code}\nexport {}\n`)
    // The process exits after it has loaded the program, because a server would not end by itself.
    const load = `await import(process.argv[2])\nsetTimeout(() => process.exit(0), 50)\n`
    writeFileSync(join(folder, 'load.mjs'), load)
    const options = {
      extends: '../../../tsconfig.json',
      include: ['.', '../../adapters/express-4.d.ts'],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('the documents contain programs', () => assert.ok(blocks.length >= 4, String(blocks.length)))

  it('every program in the documents compiles', async () => {
    await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]).catch(({ stdout }: { stdout: string }) => assert.fail(stdout))
  })

  describe('running the programs', { concurrency: availableParallelism() }, () => {
    // With NODE_TEST_CONTEXT the inner test run would report to the outer one instead of printing.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    // These blocks are not in recipes.test.ts, which runs servers and sends them requests.
    const others = wholeBlocks.filter((block) => isTest(block) || !servedBlocks.includes(block))
    for (const block of others) {
      it(`the ${isTest(block) ? 'test' : 'program'} ${block.name} in a document runs`, async () => {
        const { name } = block
        const cwd = join(folder, `cwd-${name}`)
        mkdirSync(cwd)
        const program = join(folder, `${name}.ts`)
        const args = isTest(block) ? ['--test', program] : [join(folder, 'load.mjs'), program]
        await run(process.execPath, ['--conditions=source', ...args], {
          cwd,
          env,
          timeout: 60_000,
        }).catch(({ message, stdout }: { message: string; stdout: string }) =>
          assert.fail(`${message}\n${stdout}`),
        )
      })
    }
  })

  it('README shows examples/hono/app.ts unchanged', () => {
    const example = readFileSync(join(root, 'examples/hono/app.ts'), 'utf8').replace(
      /^\/\/.*\n/,
      '',
    )
    assert.ok(readFileSync(join(root, 'README.md'), 'utf8').includes(`\`\`\`ts\n${example}\`\`\``))
  })

  it('a document shows the code of an example unchanged', () => {
    let shown = 0
    for (const document of documents) {
      const text = readFileSync(join(root, document), 'utf8')
      for (const [, file, code] of text.matchAll(
        /^<!-- from (\S+) -->\n```typescript\n(.*?)^```$/gms,
      )) {
        assert.ok(
          readFileSync(join(root, file!), 'utf8').includes(code!),
          `${document} differs from ${file}`,
        )
        shown++
      }
      assert.equal(text.split('```typescript').length, text.split(/^<!-- from /m).length, document)
    }
    assert.equal(shown, 11)
  })

  it('the documents link only to existing files and headings', () => {
    for (const document of documents) {
      const links = read(document).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)
      for (const [link, path = '', heading] of links) {
        const target = path === '' ? document : join(document, '..', path)
        assert.ok(globSync(target, { cwd: root }).length > 0, `${document}: ${link}`)
        if (heading !== undefined)
          assert.ok(headingsOf(target).includes(heading), `${document}: ${link}`)
      }
    }
  })

  it('the documents name only npm scripts that exist', () => {
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts)
    for (const document of documents)
      for (const [, script = ''] of read(document).matchAll(/npm run ([\w:]+)/g))
        assert.ok(scripts.includes(script), `${document}: ${script}`)
  })
})

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** Returns the ids that GitHub and VitePress both give to the headings of a document. */
function headingsOf(document: string): readonly string[] {
  const headings = Array.from(read(document).matchAll(/^#+ (.+)$/gm), ([, heading = '']) => heading)
  const onGitHub = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
  const onTheSite = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[\s~`!@#$%^&*()\-_+=[\]{}|\\;:"'<>,.?/]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
  return headings.map(onGitHub).filter((id, i) => id === onTheSite(headings[i] ?? ''))
}
