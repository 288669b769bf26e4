// Bundles the compiled server for publication. decisions/0009-bundle-the-server.md says why: two
// threads would read all files at every start, and Kysely has 300 files. The other packages that
// the server needs at run time stay dependencies. The source imports Zod as a namespace (`import *
// as z`): otherwise its messages in all languages would be bundled too.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions, type Plugin } from 'esbuild'

const server = join(import.meta.dirname, '../packages/server')
const bundle = join(server, 'bundle')

rmSync(bundle, { recursive: true, force: true })
const common: BuildOptions = {
  absWorkingDir: join(server, 'dist'),
  outbase: '.',
  outdir: bundle,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  legalComments: 'linked',
  logLevel: 'warning',
}
const external = ['pg', 'pino', '@node-rs/argon2', '@node-rs/bcrypt', '#*']
// This bundle does not contain the library: an app and the server must import the same one, so that
// errors and types are the same.
await build({
  ...common,
  entryPoints: ['index.js', 'docs.js'],
  external: [...external, 'keystile', 'keystile/*'],
})
/**
 * Puts the code of all commands into the bundle of the command. Separate chunks would split the
 * bundle into thirty files, and a start would read these more slowly than one file.
 */
const allCommandsAtOnce: Plugin = {
  name: 'all commands at once',
  setup({ onLoad }) {
    onLoad({ filter: /(?:commands|feature)\.js$/ }, ({ path }) => {
      const imports: string[] = []
      const contents = readFileSync(path, 'utf8').replaceAll(
        /\bawait import\(('[^']+')\)/g,
        (_, file: string) => {
          imports.push(`import * as code${imports.length} from ${file}\n`)
          return `code${imports.length - 1}`
        },
      )
      return { contents: imports.join('') + contents }
    })
  },
}
// The bundles of the command and its threads contain the library. Outside these bundles, the
// library would be 70 more files to read.
const { metafile } = await build({
  ...common,
  metafile: true,
  plugins: [allCommandsAtOnce],
  entryPoints: ['cli/main.js', 'server/writer-thread.js', 'features/password/hash-thread.js'],
  external,
})
const late = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ kind, external: isPackage }) => kind === 'dynamic-import' && !isPackage)
if (late.length > 0) {
  const files = late.map(({ path }) => path).join(', ')
  throw new Error(`the bundle of the command must be one file; it also loads ${files}`)
}

// Swagger UI, so that /docs loads nothing from other hosts. When run from source, the server reads
// the same files in node_modules.
const from = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
const to = join(bundle, 'vendor/swagger-ui')
mkdirSync(to, { recursive: true })
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE'])
  copyFileSync(join(from, file), join(to, file))
