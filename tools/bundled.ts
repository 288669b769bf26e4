// Makes the test processes load the command, the threads of the server, and Kysely from one file
// each.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type BuildOptions, type Plugin } from 'esbuild'

const server = join(import.meta.dirname, '../packages/server')

/** The command `keystile`, and the programs of the threads. */
const programs = [
  'cli/main',
  'server/writer-thread',
  'features/credentials/password/hash-thread',
] as const

/**
 * Bundles the programs and Kysely into a temporary folder, and returns the option that makes Node
 * use the bundles. `npm test` starts thousands of threads and processes. To load their files takes
 * most of the time of a start: the writer thread has 80, and Kysely has 300 more. The published
 * server is also bundled (decisions/0009-bundle-the-server.md).
 *
 * @param replaced maps the absolute paths of source files to JavaScript that is bundled instead
 */
export async function bundle(
  temporary: string,
  replaced: ReadonlyMap<string, string> = new Map(),
): Promise<string> {
  // A folder of its own: tests copy the source into the temporary folder.
  const folder = join(temporary, 'bundled')
  const common: BuildOptions = {
    absWorkingDir: server,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
  }
  await build({ ...common, entryPoints: [{ in: 'kysely', out: 'kysely' }] })
  await build({
    ...common,
    entryPoints: programs.map((program) => `src/${program}.ts`),
    outbase: 'src',
    conditions: ['source'],
    external: ['pg', 'pino', 'nodemailer', '@node-rs/argon2', '@node-rs/bcrypt', '#*'],
    plugins: [replace(replaced)],
  })

  const urlOf = (file: string): string => pathToFileURL(join(folder, file)).href
  const sourceOf = (file: string): string => pathToFileURL(join(server, 'src', file)).href
  const urls = [
    ['kysely', urlOf('kysely.mjs')],
    ...programs.map((program) => [sourceOf(`${program}.ts`), urlOf(`${program}.mjs`)]),
  ]
  // A bundle finds packages from the folder of the server. An old Node has no registerHooks, and does
  // not run the server either.
  const hook = `import module from 'node:module'
const urls = new Map(${JSON.stringify(urls)})
module.registerHooks?.({
  resolve(specifier, context, next) {
    const url = urls.get(specifier)
    if (url) return { url, format: 'module', shortCircuit: true }
    if (!context.parentURL?.startsWith('${urlOf('')}') || /^[./]/.test(specifier))
      return next(specifier, context)
    return next(specifier, { ...context, parentURL: '${sourceOf('index.ts')}' })
  },
})
`
  writeFileSync(join(folder, 'hook.mjs'), hook)
  return `--import=${urlOf('hook.mjs')}`
}

function replace(files: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'replaced files',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = files.get(path)
        return contents === undefined ? undefined : { contents, loader: 'js' }
      })
    },
  }
}
