// Each block of TypeScript in the documents is a program: it is compiled unchanged and runs. A
// program that imports node:test is a test and must pass. One that listens must answer a request.
// With KEYSTILE_LONG=1, each program has its own process, and recipes.test.ts runs those that answer
// requests. Otherwise one process runs all tests, and one process loads all other programs. Code
// that shows other libraries is JavaScript or Python and is not run.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import {
  blocks,
  documents,
  isTest,
  listens,
  root,
  servedBlocks,
  wholeBlocks,
  type Block,
} from './blocks.ts'

const run = promisify(execFile)
const isLong = Boolean(process.env['KEYSTILE_LONG'])

/**
 * A program that loads its arguments one after the other, each in its own folder. All servers listen
 * on free ports. A program that says that it listens must do so and answer a request. The process
 * exits at the end, because a server would not end by itself.
 */
const loader = `import { mkdtempSync, readFileSync } from 'node:fs'
import { portOf, servers } from '${join(import.meta.dirname, 'listening.ts')}'
const cwd = process.cwd()
for (const program of process.argv.slice(2)) {
  process.chdir(mkdtempSync(cwd + '/'))
  try {
    await import(program)
    if (${String(listens)}.test(readFileSync(program, 'utf8')) && servers.length === 0)
      throw new Error('the program must listen')
    for (const server of servers.splice(0)) {
      const { status } = await fetch('http://localhost:' + (await portOf(server)))
      if (status >= 500) throw new Error('the server must answer; it sent ' + status)
    }
  } catch (cause) {
    throw new Error(program + ' must run', { cause })
  }
}
setTimeout(() => process.exit(0), 50)
`

/**
 * Whether `npm test` runs a block elsewhere or not at all: the same program with Express 4, or a
 * server whose users are in PostgreSQL, which recipes.test.ts runs.
 */
function isLikeAnother({ name, code }: Block): boolean {
  return name.endsWith('-express-4') || code.includes(" from 'pg'\n")
}

describe('the programs in the documents', () => {
  let folder: string
  before(() => {
    // Inside the repository, so that the names of the packages resolve.
    folder = mkdtempSync(join(import.meta.dirname, 'blocks-'))
    for (const { name, code } of blocks)
      writeFileSync(join(folder, `${name}.ts`), `${code}\nexport {}\n`)
    writeFileSync(join(folder, 'load.mjs'), loader)
    const options = {
      extends: '../../../tsconfig.json',
      include: ['.', '../../adapters/express-4.d.ts'],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('the documents contain programs', () => assert.ok(blocks.length >= 4, String(blocks.length)))

  it('a program in the documents that makes an app listens, exports the app or calls it', () => {
    const calls = /\bapp\.(?:request|inject|fetch)\(|\.close\(\)$/m
    const silent = wholeBlocks.filter(
      ({ shown }) =>
        /^const (?:app|server)\b/m.test(shown) && !listens.test(shown) && !calls.test(shown),
    )
    assert.deepEqual(
      silent.map(({ name }) => name),
      [],
    )
  })

  it('every program in the documents compiles', async () => {
    await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
      // With several threads, the compiler needs twice the processor time.
      '--singleThreaded',
    ]).catch(({ stdout }: { stdout: string }) => assert.fail(stdout))
  })

  describe('running the programs', { concurrency: availableParallelism() }, () => {
    // With NODE_TEST_CONTEXT the inner test run would report to the outer one instead of printing.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const runIn = async (cwd: string, args: readonly string[]): Promise<void> => {
      mkdirSync(cwd)
      await run(process.execPath, ['--conditions=source', ...args], {
        cwd,
        env,
        timeout: 600_000,
      }).catch(({ message, stdout }: { message: string; stdout: string }) =>
        assert.fail(`${message}\n${stdout}`),
      )
    }
    const pathOf = ({ name }: Block): string => join(folder, `${name}.ts`)
    const load = (): string => join(folder, 'load.mjs')

    if (!isLong) {
      it('the tests in the documents pass', async () => {
        const tests = wholeBlocks.filter((block) => isTest(block) && !isLikeAnother(block))
        assert.ok(tests.length > 5)
        const options = ['--test', '--test-isolation=none']
        await runIn(join(folder, 'cwd-tests'), [...options, ...tests.map(pathOf)])
      })

      it('the programs in the documents, except the tests, run without error', async () => {
        const others = wholeBlocks.filter((block) => !isTest(block) && !isLikeAnother(block))
        assert.ok(others.length > 30)
        await runIn(join(folder, 'cwd'), [load(), ...others.map(pathOf)])
      })
    }

    // These blocks are not in recipes.test.ts, which runs servers and sends them requests.
    const alone = wholeBlocks.filter((block) => isTest(block) || !servedBlocks.includes(block))
    for (const block of isLong ? alone : []) {
      it(`the ${isTest(block) ? 'test' : 'program'} ${block.name} in a document runs`, async () => {
        const how = isTest(block) ? '--test' : load()
        await runIn(join(folder, `cwd-${block.name}`), [how, pathOf(block)])
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

  it('documents show the code of examples without changes', () => {
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
    assert.equal(shown, 8)
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

  it('the index of each folder in docs/ and the site name every page of the folder', () => {
    const site = read('tools/site/.vitepress/config.ts')
    for (const page of documents.filter((document) => document.startsWith('docs/'))) {
      const name = basename(page, '.md')
      assert.ok(site.includes(`'${name}',\n`), `tools/site/.vitepress/config.ts lacks ${page}`)
      if (name !== 'index')
        assert.ok(
          read(join(page, '../index.md')).includes(`](${name}.md)`),
          `index.md lacks ${page}`,
        )
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
