// Types the commands of the tutorial and of two guides into one shell, while the first program of
// the page runs, and those of other pages. Compares what they print with the comments, the JSON and the HTTP answers below
// them. In the documents, `8l1sQ…` stands for any text.
import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { freePort } from '../../packages/server/test-support/command.ts'
import { documents, root } from './blocks.ts'

const answersLater = /^curl .*\n# .*Token has been revoked/
const steps = globSync('docs/tutorial/[1-7]-*.md', { cwd: root }).toSorted()
const guides = ['docs/guides/from-fastapi.md', 'docs/guides/own-users.md']

it('no document tells the reader to run keystile without npx, which needs it on the PATH', () => {
  const bare = /^ *keystile |\b[Rr]un\s+`keystile /m
  for (const document of documents) {
    const page = readFileSync(join(root, document), 'utf8')
    const blocks = page.matchAll(/^ *```(?:sh|console)\n(.*?)^ *```$/gms)
    const prose = page.replaceAll(/^ *```\w*\n.*?^ *```$/gms, '')
    for (const text of [...Array.from(blocks, ([, commands = '']) => commands), prose])
      assert.equal(bare.exec(text)?.[0], undefined, document)
  }
})

describe('the commands in the documents', { skip: withoutCurl() }, () => {
  let folder: string
  let port: number
  let shell: Shell
  let app: ChildProcess | undefined
  before(async () => {
    folder = mkdtempSync(join(import.meta.dirname, 'blocks-'))
    port = await freePort()
    shell = startShell(folder)
  })
  after(async () => {
    shell.close()
    await stop(app)
    rmSync(folder, { recursive: true })
  })

  for (const step of [...steps, ...guides]) {
    it(`the commands in ${step} print what the page says`, { timeout: 300_000 }, async () => {
      const [page = ''] = readFileSync(join(root, step), 'utf8')
        .replaceAll(/\b[38]000\b/g, String(port))
        .split('\n## On PostgreSQL\n')
      const [, program] = /^```ts.*?\n(.*?)^```$/ms.exec(page) ?? []
      if (program) {
        await stop(app)
        app = await start(program)
      }
      for (const [, commands = '', kind, answer = ''] of page.matchAll(
        /^```sh\n(.*?)^```$(?:\n\n```(json|http)\n(.*?)^```$)?/gms,
      )) {
        const expected = kind ? answer : commentsOf(commands)
        let printed = await shell.run(commands)
        // The app learns within a second that a command has disabled the user.
        if (answersLater.test(commands))
          while (missingFrom(printed, expected)) printed = await shell.run(commands)
        if (kind === 'json') assert.deepEqual(membersOf(printed), membersOf(answer))
        else assert.equal(missingFrom(printed, expected), undefined, `${commands}\n${printed}`)
      }
    })
  }

  const clients = readFileSync(join(root, 'docs/guides/clients.md'), 'utf8')
  const [, creation = ''] = /^```sh\n(npx keystile client create.*?)^```$/ms.exec(clients) ?? []

  it('the command in docs/guides/clients.md creates a client for the app of the tutorial', async () => {
    const printed = await shell.run(creation.replace('\n', ' --database data/shop.db\n'))
    assert.equal(missingFrom(printed, commentsOf(creation)), undefined, printed)
  })

  it('the commands in docs/guides/clients.md create a client for a stand-alone server', async () => {
    const [, scopes = ''] = /^ {2}(echo .* > keystile\.config\.json)$/m.exec(clients) ?? []
    const printed = await shell.run(`mkdir stand-alone && cd stand-alone && ${scopes}\n${creation}`)
    assert.equal(missingFrom(printed, commentsOf(creation)), undefined, printed)
  })

  async function start(program: string): Promise<ChildProcess> {
    writeFileSync(join(folder, 'app.ts'), program)
    const child = spawn(process.execPath, ['--conditions=source', 'app.ts'], {
      cwd: folder,
      env: { ...process.env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data') // it prints its URL
    return child
  }
})

function withoutCurl(): false | string {
  if (!spawnSync('curl', ['--version']).error) return false
  if (process.env['CI'] === 'true') throw new Error('this test needs curl')
  return 'no curl'
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (!child) return
  child.kill()
  await once(child, 'exit')
}

interface Shell {
  /** Returns what the commands print. */
  run(commands: string): Promise<string>
  close(): void
}

/** Starts a shell in which `npx keystile` is the command of this repository. */
function startShell(cwd: string): Shell {
  const main = join(root, 'packages/server/src/cli/main.ts')
  const child = spawn('bash', { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write(`npx() { node --conditions=source ${main} "\${@:2}"; }\n`)
  child.stdin.write('export NODE_OPTIONS=--conditions=source\n')
  child.stdin.write(`PATH=${join(process.execPath, '..')}:$PATH\n`)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    async run(commands) {
      child.stdin.write(`${commands}\necho; echo end of the commands\n`)
      const printed: string[] = []
      for (;;) {
        const { value, done } = await lines.next()
        assert.ok(!done, 'the shell must not end')
        if (value === 'end of the commands') return printed.join('\n')
        printed.push(value)
      }
    },
    close: () => child.stdin.end(),
  }
}

/** Returns the comments behind and below commands, which say what the commands print. */
function commentsOf(commands: string): string {
  return Array.from(commands.matchAll(/(?:^| {2})# (.*)$/gm), ([, comment]) => comment).join('\n')
}

/** Returns the first part of the expected text that does not occur in this order, or undefined. */
function missingFrom(printed: string, expected: string): string | undefined {
  let rest = printed.toLowerCase()
  for (const part of expected.toLowerCase().split(/[\w./-]*…|\n+/)) {
    const at = rest.indexOf(part)
    if (at < 0) return part
    rest = rest.slice(at + part.length)
  }
  return undefined
}

function membersOf(json: string): readonly string[] {
  return Object.keys(JSON.parse(json) as object)
}
