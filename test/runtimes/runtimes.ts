// Installs Deno, Bun and workerd, bundles a program with the packed library, and starts it in them.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { build, type Plugin } from 'esbuild'
import { until } from '../../tools/until.ts'

export const runtimeNames = ['deno', 'bun', 'workerd'] as const
export type RuntimeName = (typeof runtimeNames)[number]

/** A running program. */
export interface Running {
  readonly port: number
  stop(): Promise<void>
}

const binaries: Readonly<Record<RuntimeName, string>> = {
  deno: '@deno/*/deno',
  bun: '@oven/*/bin/bun',
  workerd: '@cloudflare/workerd-*/bin/workerd',
}

/** Lines that serve `answer`, and print the port in the way of workerd. */
const serving: Readonly<Record<RuntimeName, string>> = {
  deno: `Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: print }, answer)`,
  bun: `print(Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer }))`,
  workerd: 'export default { fetch: (request) => answer(request) }',
}

/** Installs the runtimes from the lock file. They have 350 MB, so the root does not. */
export function installRuntimes(): void {
  // npm passes on the settings of this repository, which would install into the wrong folder.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
  )
  const cwd = import.meta.dirname
  execFileSync('npm', ['ci', '--ignore-scripts'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** Returns the version of an installed runtime, as it says itself. workerd says a date. */
export function versionOf(name: RuntimeName): string {
  const said = execFileSync(binaryOf(name), ['--version'], { encoding: 'utf8' })
  const [version = assert.fail(said)] = /\d[\d.-]*\d/.exec(said) ?? []
  return version
}

/**
 * Bundles code that imports the library, and starts it.
 *
 * @param code an ES module, as in a file of this folder
 * @param app a folder whose node_modules contain the packed library
 * @param date the compatibility date of a Worker
 */
export async function startBundle(
  name: RuntimeName,
  code: string,
  app: string,
  date: string,
): Promise<Running> {
  const bundle = join(app, `${name}.mjs`)
  await build({
    stdin: { contents: code, resolveDir: import.meta.dirname, loader: 'ts' },
    outfile: bundle,
    bundle: true,
    format: 'esm',
    external: ['node:*'],
    conditions: ['worker'],
    logLevel: 'warning',
    plugins: [packedIn(app)],
  })
  if (name === 'workerd') writeFileSync(join(app, 'workerd.capnp'), configFor(date))
  const args: Readonly<Record<RuntimeName, readonly string[]>> = {
    // The library needs no permission; the program listens, and fetches keys.
    deno: ['run', '--no-prompt', '--allow-net=127.0.0.1', bundle],
    bun: [bundle],
    workerd: ['serve', join(app, 'workerd.capnp'), '--control-fd=1'],
  }
  return start(binaryOf(name), args[name], app)
}

/** Returns a module that serves `answer` of program.ts. */
export function programFor(name: RuntimeName): string {
  return `
    import { answer } from './program.ts'
    const print = ({ port }) => console.log(JSON.stringify({ event: 'listen', port }))
    ${serving[name]}`
}

/**
 * Starts `app.ts` of a folder with the command of docs/reference/runtimes.md.
 *
 * @param port a free port
 */
export async function startApp(name: 'deno' | 'bun', app: string, port: number): Promise<Running> {
  const args = {
    deno: ['serve', '--allow-net', '--host', '127.0.0.1', '--port', String(port), 'app.ts'],
    bun: ['app.ts'],
  }
  const running = spawnIn(app, binaryOf(name), args[name], { BUN_PORT: String(port) })
  const isListening = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  await until(() => Promise.race([isListening(), running.exited]))
  return { port, stop: running.stop }
}

/** Starts a process that prints `{"event":"listen","port":…}`. */
async function start(binary: string, args: readonly string[], cwd: string): Promise<Running> {
  const { lines, exited, stop } = spawnIn(cwd, binary, args)
  const listening = new Promise<number>((resolve) => {
    lines.on('line', (line) => {
      if (line.startsWith('{"event":"listen"')) resolve((JSON.parse(line) as Running).port)
    })
  })
  return { port: await Promise.race([listening, exited]), stop }
}

interface Spawned {
  /** The lines of stdout. */
  readonly lines: Interface
  /** Rejects with the output when the process exits before `stop`. */
  readonly exited: Promise<never>
  stop(): Promise<void>
}

function spawnIn(
  cwd: string,
  binary: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Spawned {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(binary, args, { cwd, stdio: [...stdio], env: { ...process.env, ...env } })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let said = ''
  const lines = createInterface(child.stdout).on('line', (line) => {
    said += `${line}\n`
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const exit = once(child, 'exit')
  const exited = exit.then(() => assert.fail(said))
  exited.catch(() => {}) // `stop` makes it exit too
  return {
    lines,
    exited,
    async stop() {
      process.off('exit', kill)
      kill()
      await exit
    },
  }
}

function binaryOf(name: RuntimeName): string {
  const folder = join(import.meta.dirname, 'node_modules')
  const [binary] = globSync(binaries[name], { cwd: folder })
  assert.ok(binary, `${name} must be installed in ${folder}`)
  return join(folder, binary)
}

/**
 * Resolves `keystile` to the packed library, and the private files that test-support imports to the
 * same files there: a second copy of the library would not know the keys of the first.
 */
function packedIn(app: string): Plugin {
  return {
    name: 'the packed library',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^(?:keystile|hono)(?:\/|$)/ }, ({ path, kind, pluginData }) =>
        pluginData === 'resolved'
          ? undefined
          : resolve(path, { kind, resolveDir: app, pluginData: 'resolved' }),
      )
      onResolve({ filter: /^\.\.\/src\// }, ({ path }) => ({
        path: join(
          app,
          'node_modules/keystile',
          path.replace('../src', 'dist').replace('.ts', '.js'),
        ),
      }))
    },
  }
}

const configFor = (date: string): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "main", esModule = embed "workerd.mjs")],
  compatibilityDate = "${date}",
  compatibilityFlags = ["nodejs_compat"],
);
`
